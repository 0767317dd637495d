"""Holds the distribution together: versions, the wheel away from a checkout, `make`, `.ci/run`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import league

ROOT = Path(__file__).resolve().parents[1]
PACKED = ("league", "envs", "policies", "configs", "integrations")
EMULATOR_PLATFORMS = {("linux", "x86_64"), ("darwin", "arm64")}


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The [project] table of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


@pytest.fixture(scope="module")
def constraints() -> dict[str, str]:
    """The pins of constraints.txt by canonical name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def _run(*command: str | Path, cwd: Path, **env: str) -> str:
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def _requirements(project: dict[str, Any]) -> list[Requirement]:
    extras = project["optional-dependencies"].values()
    return [
        Requirement(text) for text in (*project["dependencies"], *(t for e in extras for t in e))
    ]


def test_every_requirement_is_bounded_and_pinned_within_its_bounds(
    project: dict[str, Any], constraints: dict[str, str]
) -> None:
    for requirement in _requirements(project):
        assert requirement.specifier, f"{requirement} has no bounds"
        assert requirement.specifier.contains(constraints[canonicalize_name(requirement.name)])


def test_constraints_hold_public_versions_only(constraints: dict[str, str]) -> None:
    text = (ROOT / "constraints.txt").read_text()
    assert not re.search(r"[/@+]|https?:", "".join(text.splitlines()[2:]))
    assert all(Version(version).public == version for version in constraints.values())
    assert constraints["torch"] == "2.13.0"


def test_emulator_is_required_where_it_has_wheels_only(project: dict[str, Any]) -> None:
    (retro,) = (r for r in _requirements(project) if r.name == "stable-retro")
    assert retro.marker is not None
    platforms = [(s, m) for s in ("linux", "darwin", "win32") for m in ("x86_64", "arm64")]
    for system, machine in platforms:
        wanted = retro.marker.evaluate({"sys_platform": system, "platform_machine": machine})
        assert wanted == ((system, machine) in EMULATOR_PLATFORMS)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout, with a foreign ROM lying in its integrations."""
    source = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    for name in PACKED:
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "integrations" / "DrMario-Nes-v0" / "rom.nes").write_bytes(b"a user's own ROM")
    command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    _run(*command, "--wheel-dir", source / "wheels", source, cwd=source)
    (built,) = (source / "wheels").glob("pill_league-*.whl")
    return built


def test_wheel_holds_the_data_files_and_no_foreign_rom(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"{package}/py.typed" for package in ("league", "envs", "policies")}
    wanted |= {str(path.relative_to(ROOT)) for path in (ROOT / "configs").glob("*.yaml")}
    for game, rom in (("PillDuel-Nes-v0", ["rom.nes", "rom.mlb"]), ("DrMario-Nes-v0", [])):
        for file in ("data.json", "scenario.json", "metadata.json", "rom.sha", *rom):
            wanted.add(f"integrations/{game}/{file}")
    assert "configs/selfplay.yaml" in wanted
    assert wanted <= names
    assert [name for name in names if name.endswith(".nes")] == [
        "integrations/PillDuel-Nes-v0/rom.nes"
    ]
    extension = {name for name in names if name.startswith("_pill_native.")}
    assert len(extension) <= 1, "there is none where there is no compiler"
    assert {name.split("/")[0] for name in names - extension} == {*PACKED, _dist_info(names)}


def _dist_info(names: set[str]) -> str:
    (folder,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    return folder


def test_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    _run(*install, "--target", site, wheel, cwd=tmp_path)
    code = (
        "import envs, league\n"
        "from envs.backends.integrations import GAMES, PILL_DUEL, find_rom, integration_path\n"
        "print(envs.__file__, league.__file__, find_rom(PILL_DUEL), sep='\\n')\n"
        "print(*map(integration_path, GAMES), sep='\\n')"
    )
    paths = _run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(site)).splitlines()
    assert len(paths) == 5
    assert all(Path(path).is_relative_to(site) for path in paths)
    listing = ("-m", "league.cli", "rom", "list")
    assert "PillDuel-Nes-v0" in _run(sys.executable, *listing, cwd=tmp_path, PYTHONPATH=str(site))


def test_version_is_that_of_the_changelog() -> None:
    newest = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == league.__version__
    assert f"\nversion: {league.__version__}\n" in (ROOT / "CITATION.cff").read_text()


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """The Makefile and what it depends on, without a venv."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def _make(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as if from a shell: `make test ARGS=...` hands its own variables down to us."""
    inherited = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHON"}
    env = {name: value for name, value in os.environ.items() if name not in inherited}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def _write_script(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('[ "$1" = --version ] && echo Python 3.9.2; exit 1', "Python 3.11 or newer.*Python 3.9.2"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "lacks them.*python3-venv"),
        ("exit 127", "Python 3.11 or newer.*PYTHON="),
    ],
)
def test_make_says_what_is_wrong_with_the_interpreter(
    body: str, message: str, bare_checkout: Path
) -> None:
    python = _write_script(bare_checkout / "python", body)
    result = _make(bare_checkout, "test", f"PYTHON={python}")
    assert result.returncode != 0
    assert re.search(message, result.stderr.replace("\n", " "))
    assert not (bare_checkout / ".venv").exists()


def test_make_sets_up_once_and_again_when_versions_change(bare_checkout: Path) -> None:
    log = bare_checkout / "log"
    in_venv = f'echo "$@" >> {log}'
    create = f"mkdir -p .venv/bin; printf '#!/bin/sh\\n{in_venv}\\n' > .venv/bin/python"
    python = _write_script(
        bare_checkout / "python", f'[ "$2" != venv ] || {{ {create}; chmod +x .venv/bin/python; }}'
    )

    def calls(target: str) -> list[str]:
        log.unlink(missing_ok=True)
        result = _make(bare_checkout, target, f"PYTHON={python}")
        assert result.returncode == 0, result.stderr
        return [line for line in log.read_text().splitlines() if line != "-m pip --version"]

    install, run = calls("run")
    assert install.startswith("-m pip install")
    assert "-c constraints.txt" in install
    assert run == "-m league.run configs/selfplay.yaml"
    assert calls("test") == ["-m pytest -m not slow --numprocesses 2 --dist loadfile"]
    changed = (bare_checkout / "constraints.txt").stat().st_mtime + 10
    os.utime(bare_checkout / "constraints.txt", (changed, changed))
    assert len(calls("test")) == 2


def test_ci_script_is_executable_and_parses() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    _run("bash", "-n", script, cwd=ROOT)
    assert script.read_text().rstrip().endswith("make test")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("integrations/DrMario-Nes-v0/rom.nes", True),
        ("my-roms/dr.zip", True),
        ("runs/first/league.sqlite", True),
        ("integrations/PillDuel-Nes-v0/rom.nes", False),
    ],
)
def test_git_ignores_roms_and_runs(path: str, ignored: bool) -> None:
    command = ["git", "check-ignore", "--quiet", "--no-index", path]
    assert (subprocess.run(command, cwd=ROOT, check=False).returncode == 0) == ignored
