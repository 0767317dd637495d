from __future__ import annotations

import io
import os
import random
import stat
import zipfile
from pathlib import Path

import pytest

from envs.backends import integrations
from envs.backends.integrations import DR_MARIO, PILL_DUEL, RomError, headerless_digest
from league import rom_sources, roms
from league.roms import import_roms, list_roms

BODY_SIZE = 2 * roms.PRG_UNIT + 4 * roms.CHR_UNIT
FIRST_BODY, SECOND_BODY, EUROPE_BODY, OTHER_BODY = (
    random.Random(seed).randbytes(BODY_SIZE) for seed in range(4)
)


def _with_header(body: bytes) -> bytes:
    return roms.DR_MARIO_HEADER + body


def _digest(body: bytes) -> str:
    return headerless_digest(_with_header(body))


@pytest.fixture(autouse=True)
def synthetic_dumps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make two synthetic dumps the accepted ones, and a third the European one."""
    first, second = _digest(FIRST_BODY), _digest(SECOND_BODY)
    own = _digest(b"duel")
    accepted = {DR_MARIO: (first, second), PILL_DUEL: (own,)}
    monkeypatch.setattr(roms, "accepted_digests", accepted.__getitem__)
    monkeypatch.setattr(roms, "TITLES", {first: "First", second: "Second"})
    monkeypatch.setattr(roms, "REFUSED", {_digest(EUROPE_BODY): "European, PAL timing"})


@pytest.fixture
def rom(tmp_path: Path) -> Path:
    """A file with the first accepted dump."""
    path = tmp_path / "game.nes"
    path.write_bytes(_with_header(FIRST_BODY))
    return path


def _write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _assert_refused(path: Path, reason: str, user_data: Path) -> None:
    with pytest.raises(RomError, match=reason) as caught:
        import_roms(path)
    message = str(caught.value)
    assert _digest(FIRST_BODY) in message
    assert _digest(SECOND_BODY) in message
    assert "ROM_README.md" in message
    assert not user_data.exists()


def test_import_takes_the_rom_into_the_user_data_folder(rom: Path, user_data: Path) -> None:
    (record,) = import_roms(rom)
    digest = _digest(FIRST_BODY)
    assert (record.game, record.title, record.digest) == (DR_MARIO, "First", digest)
    assert record.path == user_data / "roms" / DR_MARIO / f"{digest}.nes"
    assert record.path.read_bytes() == _with_header(FIRST_BODY)
    assert [path.name for path in record.path.parent.iterdir()] == [record.path.name]


def test_import_twice_is_the_same_and_repairs_a_damaged_copy(rom: Path, user_data: Path) -> None:
    (record,) = import_roms(rom)
    assert import_roms(rom) == [record]
    record.path.write_bytes(b"damaged")
    assert import_roms(rom) == [record]
    assert record.path.read_bytes() == _with_header(FIRST_BODY)


def test_import_writes_its_own_header(rom: Path, user_data: Path) -> None:
    # A dump's own header may name another mapper or PAL timing; digests do not cover it.
    rom.write_bytes(b"NES\x1a\x02\x04\x11DiskDude!" + FIRST_BODY)
    (record,) = import_roms(rom)
    assert record.path.read_bytes() == _with_header(FIRST_BODY)


def test_import_takes_members_of_a_zip(tmp_path: Path, user_data: Path) -> None:
    members = {
        "readme.txt": b"hello",
        "a/Other (Japan).nes": _with_header(OTHER_BODY),
        "a/Dr.NES": _with_header(FIRST_BODY),
        "again.nes": _with_header(FIRST_BODY),
    }
    records = import_roms(_write_zip(tmp_path / "set.zip", members))
    assert [record.digest for record in records] == [_digest(FIRST_BODY)]


def test_zip_is_recognised_by_content(tmp_path: Path, user_data: Path) -> None:
    path = _write_zip(tmp_path / "set.bin", {"dr.nes": _with_header(FIRST_BODY)})
    assert len(import_roms(path)) == 1


def test_import_searches_folders(tmp_path: Path, user_data: Path) -> None:
    folder = tmp_path / "my roms"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 no archive")
    (folder / "europe.nes").write_bytes(_with_header(EUROPE_BODY))
    (folder / "notes.txt").write_bytes(_with_header(SECOND_BODY))
    (folder / "deep" / "er" / "dr.nes").write_bytes(_with_header(FIRST_BODY))
    _write_zip(folder / "rev-a.zip", {"dr.nes": _with_header(SECOND_BODY)})
    digests = {record.digest for record in import_roms(folder)}
    assert digests == {_digest(FIRST_BODY), _digest(SECOND_BODY)}


def test_linked_rom_is_accepted_and_linked_folders_are_not_followed(
    rom: Path, tmp_path: Path, user_data: Path
) -> None:
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "linked.nes").symlink_to(rom)
    assert len(import_roms(folder)) == 1


def test_european_version_is_refused_with_the_reason(tmp_path: Path, user_data: Path) -> None:
    path = tmp_path / "europe.nes"
    path.write_bytes(_with_header(EUROPE_BODY))
    _assert_refused(path, "European, PAL timing", user_data)


def test_reason_against_a_known_dump_comes_first(tmp_path: Path, user_data: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.nes").write_bytes(_with_header(OTHER_BODY))
    (folder / "b.nes").write_bytes(_with_header(EUROPE_BODY))
    _assert_refused(folder, "none of 2 files.*European, PAL timing", user_data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"NES\x1a", "expected an iNES file"),
        (b"GIF89a" + bytes(100), "expected an iNES file.*b'GIF8'"),
        (FIRST_BODY, "the right dump without its 16-byte header"),
        (_with_header(OTHER_BODY), f"known dump, got headerless SHA-1 {_digest(OTHER_BODY)}"),
        (_with_header(FIRST_BODY[:-1]), "expected 65552 bytes.*got 65551: it is truncated"),
        (_with_header(FIRST_BODY) + b"!", "expected 65552 bytes.*bytes to spare"),
        (bytes(16) + FIRST_BODY, "expected an iNES file"),
        (_with_header(b"duel"), "Pill Duel, which is installed already"),
        (b"NES\x1a" + bytes(rom_sources.MAX_ROM_BYTES), "expected at most 4194304 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_wrong_file_is_refused(
    content: bytes, reason: str, tmp_path: Path, user_data: Path
) -> None:
    path = tmp_path / "wrong.nes"
    path.write_bytes(content)
    _assert_refused(path, reason, user_data)


def test_missing_file_and_odd_paths_are_refused(tmp_path: Path, user_data: Path) -> None:
    _assert_refused(tmp_path / "none.nes", "cannot read it", user_data)
    _assert_refused(Path("a\0b"), "cannot read it", user_data)


def test_pipe_is_refused_without_waiting(tmp_path: Path, user_data: Path) -> None:
    path = tmp_path / "pipe.nes"
    os.mkfifo(path)
    _assert_refused(path, "expected a regular file", user_data)


def test_device_is_refused(user_data: Path) -> None:
    _assert_refused(Path("/dev/zero"), "expected a regular file", user_data)


def test_unreadable_file_is_refused(
    rom: Path, user_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    # Tests may run as root, whom file modes do not stop.
    monkeypatch.setattr(os, "open", deny)
    _assert_refused(rom, "cannot read it .Permission denied", user_data)


def test_empty_folder_is_refused(tmp_path: Path, user_data: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    _assert_refused(folder, "expected a .nes file in it, found none", user_data)


def test_folder_with_too_many_files_is_refused(
    rom: Path, user_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rom.parent / "second.txt").touch()
    monkeypatch.setattr(rom_sources, "MAX_ENTRIES", 1)
    _assert_refused(rom.parent, "expected at most 1 files in it", user_data)


@pytest.mark.parametrize(
    "name",
    [
        "../dr.nes",
        "a/../../dr.nes",
        "/etc/dr.nes",
        "C:\\dr.nes",
        "C:dr.nes",
        "..\\dr.nes",
        "\\\\h\\s",
    ],
)
def test_zip_with_a_name_that_leaves_its_folder_is_refused_as_a_whole(
    name: str, tmp_path: Path, user_data: Path
) -> None:
    members = {"dr.nes": _with_header(FIRST_BODY), name: _with_header(FIRST_BODY)}
    path = _write_zip(tmp_path / "tricky.zip", members)
    _assert_refused(path, "plain relative names", user_data)


def test_zip_with_a_link_is_refused(tmp_path: Path, user_data: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("dr.nes")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    _assert_refused(path, "plain relative names", user_data)


def test_zip_bomb_is_refused(tmp_path: Path, user_data: Path) -> None:
    path = _write_zip(tmp_path / "bomb.zip", {"dr.nes": bytes(rom_sources.MAX_ROM_BYTES + 1)})
    assert path.stat().st_size < 10_000
    _assert_refused(path, "expected at most 4194304 bytes", user_data)


def test_zip_of_many_bombs_is_refused_before_unpacking(
    tmp_path: Path, user_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rom_sources, "MAX_UNPACKED_BYTES", 2 * BODY_SIZE)
    members = {f"{number}.nes": _with_header(FIRST_BODY) for number in range(2)}
    _assert_refused(_write_zip(tmp_path / "many.zip", members), "bytes together", user_data)


def test_zip_that_is_too_large_or_has_too_many_members_is_refused(
    tmp_path: Path, user_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write_zip(tmp_path / "set.zip", {"a": b"", "b": b""})
    monkeypatch.setattr(rom_sources, "MAX_ENTRIES", 1)
    _assert_refused(path, "expected at most 1 members", user_data)
    monkeypatch.setattr(rom_sources, "MAX_ARCHIVE_BYTES", 10)
    _assert_refused(path, "expected an archive of at most 10 bytes", user_data)


def test_zip_with_a_password_is_refused(tmp_path: Path, user_data: Path) -> None:
    path = _write_zip(tmp_path / "locked.zip", {"dr.nes": _with_header(FIRST_BODY)})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    _assert_refused(path, "without a password", user_data)


def test_zip_with_an_exotic_compression_is_refused(tmp_path: Path, user_data: Path) -> None:
    path = _write_zip(tmp_path / "exotic.zip", {"dr.nes": _with_header(FIRST_BODY)})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 10] = 97
    path.write_bytes(content)
    _assert_refused(path, "stored or deflated", user_data)


def test_zip_without_a_rom_is_refused(tmp_path: Path, user_data: Path) -> None:
    path = _write_zip(tmp_path / "set.zip", {"readme.txt": b"hello"})
    _assert_refused(path, "expected a .nes file in it, found none", user_data)


def test_damaged_zip_never_raises_anything_but_a_rom_error(tmp_path: Path, user_data: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dr.nes", _with_header(bytes(100)))
        archive.writestr("a/ü.nes", b"NES\x1a")
    sound = buffer.getvalue()
    path = tmp_path / "damaged.zip"
    generator = random.Random(0)
    for _ in range(600):
        content = bytearray(
            sound[: generator.choice((len(sound), generator.randrange(len(sound))))]
        )
        for _ in range(generator.randint(1, 4)):
            if content:
                content[generator.randrange(len(content))] = generator.randrange(256)
        path.write_bytes(content)
        with pytest.raises(RomError):
            import_roms(path)
    assert not user_data.exists()


def test_failed_write_leaves_nothing_behind(
    rom: Path, user_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RomError, match=r"No space left.*PILL_LEAGUE_DATA"):
        import_roms(rom)
    assert [path for path in user_data.rglob("*") if path.is_file()] == []


def test_user_data_folder_that_cannot_be_made_is_an_error(rom: Path, user_data: Path) -> None:
    user_data.write_text("a file where the folder should be")
    with pytest.raises(RomError, match="cannot write"):
        import_roms(rom)


def test_list_names_imported_roms_and_flags_damage(rom: Path, user_data: Path) -> None:
    def imported() -> list[roms.RomRecord]:
        return [record for record in list_roms() if not record.shipped]

    assert imported() == []
    (record,) = import_roms(rom)
    assert imported() == [record]
    record.path.write_bytes(b"damaged")
    assert [entry.intact for entry in imported()] == [False]


def test_shipped_rom_is_listed_first(
    rom: Path, user_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roms, "accepted_digests", integrations.accepted_digests)
    first = list_roms()[0]
    assert (first.game, first.shipped, first.intact) == (PILL_DUEL, True, True)


def test_every_accepted_digest_has_a_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert set(roms.TITLES) == set(integrations.accepted_digests(DR_MARIO))
    assert not set(roms.REFUSED) & set(roms.TITLES)
