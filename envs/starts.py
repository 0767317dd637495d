"""How an episode of the batch env starts: a round's set-up, and bottles other than it draws."""

from __future__ import annotations

from dataclasses import dataclass

from envs.game.layout import CELLS, EMPTY, ROWS, Tile
from envs.game.setup import RoundSetup

_MOST_VIRUSES = 99
"""What the counter of a bottle can show."""


@dataclass(frozen=True, slots=True)
class EpisodeStart:
    """A round whose bottles are changed once play is to begin.

    Capsules, speeds and all that follows are those of the set-up. Every such position is one that
    the rules go on from, as they do after set-up.

    Raises:
        ValueError: A number of viruses is out of range or a bottle is impossible.
    """

    setup: RoundSetup
    viruses: tuple[int, int] = (0, 0)
    """How many viruses each seat keeps, 1..99; 0 for all of them."""
    thin_seed: int = 0
    """Draws which viruses are kept, 0..2**32 - 1; equal bottles stay equal."""
    bottles: tuple[bytes, bytes] | None = None
    """128 tile bytes of each seat instead of the viruses that set-up draws."""

    def __post_init__(self) -> None:
        if not all(0 <= n <= _MOST_VIRUSES for n in self.viruses):
            raise ValueError(f"expected two numbers of viruses in 0..99, got {self.viruses!r}")
        if not 0 <= self.thin_seed < 2**32:
            raise ValueError(f"expected thin_seed in 0..2**32 - 1, got {self.thin_seed!r}")
        bottles = () if self.bottles is None else self.bottles
        for seat, bottle in enumerate(bottles):
            problem = find_bottle_problem(bottle)
            if problem is not None:
                raise ValueError(f"expected a bottle to start from for seat {seat}, got {problem}")


def find_bottle_problem(cells: bytes) -> str | None:
    """Return why a round cannot start from a bottle, or None.

    It must hold 1..99 viruses, have room for the first capsule, and be at rest: no tile that is
    matched or just cleared.

    Args:
        cells: 128 tile bytes.
    """
    if len(cells) != CELLS:
        return f"{len(cells)} tiles"
    kinds = {tile & 0xF0 for tile in cells if tile != EMPTY}
    known = {Tile.VIRUS, Tile.SINGLE, Tile.TOP, Tile.BOTTOM, Tile.LEFT, Tile.RIGHT}
    if not kinds <= known:
        return "tiles that are not at rest"
    viruses = sum(tile & 0xF0 == Tile.VIRUS for tile in cells if tile != EMPTY)
    if not 1 <= viruses <= _MOST_VIRUSES:
        return f"{viruses or 'no'} virus{'es' if viruses else ''}"
    columns = CELLS // ROWS
    if any(cells[cell] != EMPTY for cell in (columns // 2 - 1, columns // 2)):
        return "tiles where the first capsule appears"
    return None
