"""Assembles Pill Duel: graphics, program, digest and debugger labels.

`python integrations/PillDuel-Nes-v0/build.py` rebuilds the committed files in place; `--out DIR`
writes elsewhere and `--define NAME=VALUE` passes symbols to the assembler (for test builds such
as `MENU_LATENCY`). Needs `ca65` and `ld65` (package cc65). The output is byte-stable.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "src"
GRAPHICS = HERE / "gfx"
INES_HEADER_BYTES = 16
ROM_START = 0x8000


class BuildError(RuntimeError):
    """The cartridge could not be built; the message holds the assembler's own words."""


def build(out: Path, defines: Sequence[str] = ()) -> Path:
    """Assemble the cartridge.

    Args:
        out: Folder that gets `rom.nes`, `rom.sha` and the label files.
        defines: `NAME=VALUE` symbols for the assembler.

    Returns:
        Path of the ROM.

    Raises:
        BuildError: ca65 is missing, or a source does not assemble.
    """
    for tool in ("ca65", "ld65"):
        if shutil.which(tool) is None:
            raise BuildError(f"expected {tool} on the path, found none; install the package cc65")
    sys.path.insert(0, str(GRAPHICS))
    from tiles import write_graphics

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_graphics(GRAPHICS, work)
        objects = [_assemble(source, work, defines) for source in sorted(SOURCE.glob("*.s"))]
        _link(objects, work)
        rom = (work / "rom.nes").read_bytes()
        labels = _read_labels((work / "labels.txt").read_text())
    (out / "rom.nes").write_bytes(rom)
    digest = hashlib.sha1(rom[INES_HEADER_BYTES:]).hexdigest()
    (out / "rom.sha").write_text(digest + "\n")
    (out / "rom.mlb").write_text(_mesen_labels(labels))
    (out / "rom.nes.0.nl").write_text(_fceux_labels(labels))
    return out / "rom.nes"


def _assemble(source: Path, work: Path, defines: Sequence[str]) -> Path:
    target = work / f"{source.stem}.o"
    command = ["ca65", "--bin-include-dir", str(work), "-I", str(SOURCE), "-g"]
    for define in defines:
        command += ["-D", define]
    _run([*command, "-o", str(target), str(source)])
    return target


def _link(objects: Sequence[Path], work: Path) -> None:
    config = str(SOURCE / "nrom.cfg")
    names = [str(path) for path in objects]
    labels = str(work / "labels.txt")
    _run(["ld65", "-C", config, "-Ln", labels, "-o", str(work / "rom.nes"), *names])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{command[0]} failed:\n{done.stderr}")


def _read_labels(text: str) -> dict[str, int]:
    """Read ld65's `al 00C000 .name` lines; cheap and local labels are left out."""
    labels: dict[str, int] = {}
    for line in text.splitlines():
        _, address, name = line.split()
        name = name.removeprefix(".")
        if not name.startswith("@") and int(address, 16) >= ROM_START:
            labels[name] = int(address, 16)
    return dict(sorted(labels.items(), key=lambda item: (item[1], item[0])))


def _mesen_labels(labels: dict[str, int]) -> str:
    return "".join(f"P:{address - ROM_START:X}:{name}\n" for name, address in labels.items())


def _fceux_labels(labels: dict[str, int]) -> str:
    return "".join(f"${address:04X}#{name}#\n" for name, address in labels.items())


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE, help="folder that gets the files")
    parser.add_argument("--define", action="append", default=[], metavar="NAME=VALUE")
    arguments = parser.parse_args()
    try:
        sys.stdout.write(f"{build(arguments.out, arguments.define)}\n")
    except BuildError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
