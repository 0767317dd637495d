"""Curriculum: which rounds are trained on, as data.

A `Curriculum` is a `DrawSetup` of `envs.vector.VectorEnv`: levels by weight, speeds, solo rounds
among versus ones, starts with a few viruses only, and given boards. Each part is off by its default
or by a share of 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from envs.game.layout import MAX_LEVEL, Speed
from envs.game.position import parse_position
from envs.game.setup import NUM_SEEDS, RoundSetup, count_viruses, seed_to_word
from envs.starts import EpisodeStart, find_bottle_problem


@dataclass(frozen=True, slots=True)
class BoardStart:
    """Bottles that rounds start from, such as a milestone or a board that is nearly clear.

    Raises:
        ValueError: The weight is not positive, or no round can start from the bottles.
    """

    bottles: tuple[bytes, bytes]
    """128 tile bytes of each seat."""
    weight: float = 1.0
    """How often it is drawn, relative to the other boards."""

    def __post_init__(self) -> None:
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"expected a board's weight above 0, got {self.weight!r}")
        for seat, bottle in enumerate(self.bottles):
            problem = find_bottle_problem(bottle)
            if problem is not None:
                raise ValueError(f"expected a bottle to start from for seat {seat}, got {problem}")

    @classmethod
    def parse(cls, line: str) -> BoardStart:
        """Return the board of a line: a weight, a space, and a position line.

        Only the bottles of the position count; capsules, speeds and the rest are drawn anew.

        Raises:
            ValueError: The line is malformed, or no round can start from it.
        """
        weight, _, position = line.strip().partition(" ")
        try:
            number = float(weight)
        except ValueError:
            raise ValueError(
                f"expected a weight before the position, got {weight!r} in {line!r}"
            ) from None
        state = parse_position(position)
        return cls((state.players[0].cells, state.players[1].cells), number)


@dataclass(frozen=True, slots=True)
class Curriculum:
    """How the rounds of training are drawn.

    Raises:
        ValueError: A field is out of range.
    """

    levels: tuple[int, ...] = tuple(range(11))
    """Virus levels 0..20 to draw from, the same for both seats."""
    level_slope: float = 0.0
    """A level is drawn with weight 1 + slope x level: 0 for uniform, 1 for more of the high ones;
    0 or more."""
    speeds: tuple[Speed, ...] = (Speed.MED,)
    """Speeds to draw from, the same for both seats."""
    solo: float = 0.0
    """Share of solo rounds, 0..1."""
    thinned: float = 0.0
    """Share of rounds that start with 1..n viruses, as many at random, instead of the level's n;
    0..1."""
    boards: tuple[BoardStart, ...] = field(default=(), repr=False)
    """Boards to start from."""
    board_share: float = 0.0
    """Share of rounds that start from one of `boards`, 0..1; at a level drawn as above, which then
    decides nothing."""

    def __post_init__(self) -> None:
        if not self.levels or not all(0 <= level <= MAX_LEVEL for level in self.levels):
            raise ValueError(f"expected levels in 0..{MAX_LEVEL}, got {self.levels!r}")
        if not self.speeds or not self.level_slope >= 0:
            raise ValueError(
                "expected speeds and level_slope >= 0, "
                f"got {self.speeds!r} and {self.level_slope!r}"
            )
        for name in ("solo", "thinned", "board_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"expected {name} in 0..1, got {getattr(self, name)!r}")
        if self.board_share and not self.boards:
            raise ValueError("expected boards for a board_share above 0, got none")

    def __call__(self, stream: np.random.Generator) -> EpisodeStart:
        """Draw a round."""
        level = self.levels[_draw(stream, [1 + self.level_slope * one for one in self.levels])]
        speed = self.speeds[int(stream.integers(len(self.speeds)))]
        setup = RoundSetup(
            levels=(level, level),
            speeds=(speed, speed),
            rng_word=seed_to_word(int(stream.integers(NUM_SEEDS))),
            solo=bool(stream.random() < self.solo),
        )
        if stream.random() < self.board_share:
            board = self.boards[_draw(stream, [one.weight for one in self.boards])]
            return EpisodeStart(setup, bottles=board.bottles)
        if stream.random() < self.thinned:
            viruses = int(stream.integers(1, count_viruses(level), endpoint=True))
            return EpisodeStart(setup, (viruses, viruses), int(stream.integers(2**32)))
        return EpisodeStart(setup)


def read_boards(path: Path) -> tuple[BoardStart, ...]:
    """Read boards from a text file: one `BoardStart.parse` line each; `#` begins a comment line.

    Raises:
        ValueError: A line is malformed; names the file and the line number.
        OSError: The file cannot be read.
    """
    boards = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                boards.append(BoardStart.parse(line))
            except ValueError as error:
                raise ValueError(f"{path}:{number}: {error}") from None
    return tuple(boards)


def _draw(stream: np.random.Generator, weights: list[float]) -> int:
    """Draw an index with chances in proportion to `weights`."""
    bounds = np.cumsum(weights)
    return int(np.searchsorted(bounds, stream.random() * bounds[-1], side="right"))
