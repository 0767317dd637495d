"""Builds of the simulator with one rule changed, to show that the comparison would notice.

Each mutant is a replacement of text in one source file. They need a checkout and a compiler.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from envs.backends import native_library
from envs.backends.base import BackendError


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed rule."""

    rule: str
    """The rule as it is broken."""
    file: str
    """Source file in `envs/backends/native`."""
    old: str
    """Text that occurs once in the file."""
    new: str


MUTANTS: Final = (
    Mutant("gravity at index 25 is a frame faster", "layout.hpp", "21, 19, 18,", "21, 18, 18,"),
    Mutant("48 speed-ups at most", "layout.hpp", "MAX_SPEED_UPS = 0x31", "MAX_SPEED_UPS = 0x30"),
    Mutant("soft drop on even frames", "control.cpp", "& 1) != 0 && (held", "& 1) == 0 && (held"),
    Mutant("auto-repeat a frame earlier", "control.cpp", "CHARGED = 16", "CHARGED = 15"),
    Mutant("a wall charges like a tile", "control.cpp", " && player.x != last_column)", ")"),
    Mutant("no kick", "control.cpp", "flat && fits(player.x - 1)", "flat && fits(-1)"),
    Mutant("no double left", "control.cpp", "(double_left && ", "(!flat && "),
    Mutant("two tiles land 3 columns apart", "versus.cpp", "size == 2 ? 4", "size == 2 ? 3"),
    Mutant("excess garbage is kept", "versus.cpp", "garbage_out = 0;", "garbage_out -= size;"),
    Mutant("one line sends garbage", "versus.cpp", "MIN_ATTACK = 2", "MIN_ATTACK = 1"),
    Mutant("attack colours beyond four", "bottle.cpp", "combo < ATTACK_COLOURS_SIZE", "combo < 5"),
    Mutant("a lock redraws all rows", "bottle.cpp", "static_cast<u8>(TOP_Y - player.y);", "0x0F;"),
    Mutant("viruses too high at level 15", "setup.cpp", "level < 15 ? 9", "level < 16 ? 9"),
    Mutant(
        "player 2 acts after a lost draw at 2-2",
        "game.cpp",
        "if (has_won_set(ram, first",
        "if (false && has_won_set(ram, first",
    ),
)

SOURCE_FOLDER: Final = Path(native_library.__file__).parent / "native"
RULE_SOURCES: Final = ("bottle", "control", "game", "round_end", "setup", "versus")
_SOURCES: Final = (*RULE_SOURCES, "interface", "pool")
"""Sources of the simulator alone; the planner and the rest are not needed here."""


class MutantBuilder:
    """Compiles mutants in a folder, each file that no mutant changes only once."""

    def __init__(self, folder: Path) -> None:
        """Build in `folder`.

        Raises:
            BackendError: The sources or a compiler are missing.
        """
        self._folder = folder
        self._compiler = shutil.which(os.environ.get("CXX", "c++"))
        if self._compiler is None or not any(SOURCE_FOLDER.glob("*.cpp")):
            raise BackendError(
                "expected a C++ compiler and the simulator's sources for its mutants, got none; "
                "run in a checkout with c++ on the path"
            )
        self._objects: dict[str, Path] = {}

    def build(self, mutant: Mutant) -> Path:
        """Return the shared library of a mutant.

        Raises:
            ValueError: The mutant's text does not occur exactly once.
            BackendError: It does not compile.
        """
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        for source in (*SOURCE_FOLDER.glob("*.cpp"), *SOURCE_FOLDER.glob("*.hpp")):
            shutil.copy(source, folder)
        path = folder / mutant.file
        text = path.read_text(encoding="utf-8")
        if text.count(mutant.old) != 1:
            raise ValueError(
                f"expected {mutant.old!r} once in {mutant.file}, found it {text.count(mutant.old)} "
                f"times; adapt the mutant {mutant.rule!r} to the source"
            )
        path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        library = folder / "mutant.so"
        objects = [str(path) for path in self._list_objects(folder, mutant.file)]
        self._run("-shared", "-pthread", "-o", str(library), *objects)
        return library

    def _list_objects(self, folder: Path, changed: str) -> Iterator[Path]:
        """Yield all object files, compiling those that the changed file is part of."""
        for source in (folder / f"{name}.cpp" for name in _SOURCES):
            if changed.endswith(".hpp") or source.name == changed:
                yield self._compile(source, folder)
            else:
                if source.name not in self._objects:
                    self._objects[source.name] = self._compile(
                        SOURCE_FOLDER / source.name, self._folder
                    )
                yield self._objects[source.name]

    def _compile(self, source: Path, folder: Path) -> Path:
        target = folder / f"{source.stem}.o"
        self._run("-std=c++17", "-O1", "-fPIC", "-pthread", "-c", "-o", str(target), str(source))
        return target

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._compiler), *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BackendError(f"expected the mutant to compile, got:\n{done.stderr}")
