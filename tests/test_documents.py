"""Holds the documents to what exists: every file, `make` target and command that they name."""

from __future__ import annotations

import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

from league.settings import RunConfig

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "ROM_README.md", "CONTRIBUTING.md", "CHANGELOG.md")
FOLDERS = "league|envs|policies|configs|integrations|tests|docs"

SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _shell_lines() -> list[str]:
    blocks = (block for document in DOCUMENTS for block in SHELL_BLOCK.findall(_read(document)))
    return [line.partition("#")[0] for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    text = _read(document)
    named = re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]+)", text)
    named += re.findall(r"\]\(([\w./-]+)\)", text)
    missing = {name for name in named if not (ROOT / name.rstrip(".")).exists()}
    assert missing == set()


def test_named_make_targets_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for line in _shell_lines() for word in re.findall(r"\bmake\b.*?(\w+) *$", line)}
    assert {"run", "test"} <= named
    assert named <= targets


def _named_commands() -> set[tuple[str, ...]]:
    commands = set()
    for line in _shell_lines():
        if found := re.match(r"league (rom |bench )?([a-z]+)", line):
            commands.add(tuple(part.strip() for part in found.groups() if part))
    return commands


def test_named_commands_exist() -> None:
    commands = _named_commands()
    assert ("rom", "import") in commands
    for command in sorted(commands):
        call = [sys.executable, "-m", "league.cli", *command, "--help"]
        result = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{command}: {result.stderr}"


def test_named_settings_exist() -> None:
    keys = {key for line in _shell_lines() for key in re.findall(r" (\w+\.\w+)=", line)}
    assert "tracking.wandb" in keys
    for key in keys:
        attrgetter(key)(RunConfig())


@pytest.mark.emulator
def test_python_example_of_the_readme_runs() -> None:
    (example,) = PYTHON_BLOCK.findall(_read("README.md"))
    command = [sys.executable, "-W", "error", "-c", example]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
