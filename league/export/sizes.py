"""How large a tree is exported, and what each size is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from envs.game.layout import Speed
from league.errors import LeagueError
from league.rng import make_rng
from policies.distill.dagger import SIZES, Distilled
from policies.distill.play import SoloResult, draw_starts, play_match, play_solo
from policies.distill.spec import MAX_LEAVES, SPLIT_SIZE, WALKER_SIZE
from policies.distill.tree import Node, count_bytes, make_page
from policies.distill.tune import count_cost
from policies.search import SearchPolicy

TABLE_LEVELS: Final = (0, 5, 10, 20)
_MATCH_LEVELS: Final = (5, 10)
_NEARLY: Final = 1.03
"""The smallest tree whose cost is at most this many times the least one is taken."""
_LEVELS_OF_CHOICE: Final = (5, 10)


class BudgetError(LeagueError):
    """A byte budget that no tree, or not the tree asked for, fits into."""


def list_sizes(leaves: int | None, budget_bytes: int | None) -> tuple[int, ...]:
    """Return the numbers of leaves to try.

    Args:
        leaves: Only this many, if given.
        budget_bytes: Most bytes of a tree with its walker; None allows a whole page of tree.

    Raises:
        BudgetError: The budget is too small; names the least.
        LeagueError: `leaves` is out of range.
    """
    if leaves is not None and not 1 <= leaves <= MAX_LEAVES:
        raise LeagueError(f"expected --leaves 1..{MAX_LEAVES}, got {leaves}")
    most = MAX_LEAVES if budget_bytes is None else count_leaves_within(budget_bytes)
    least = max(1, leaves or 1)
    if most < least:
        raise BudgetError(
            f"expected --budget-bytes of {count_bytes(least) + WALKER_SIZE} or more for "
            f"{least} {'leaf' if least == 1 else 'leaves'} and the {WALKER_SIZE}-byte walker, "
            f"got {budget_bytes}"
        )
    if leaves is not None:
        return (leaves,)
    return tuple(sorted({min(size, most) for size in SIZES}))


def count_leaves_within(budget_bytes: int) -> int:
    """Return the most leaves whose tree and walker take at most so many bytes."""
    for_tree = budget_bytes - WALKER_SIZE
    return max(0, min(MAX_LEAVES, (for_tree + SPLIT_SIZE) // (SPLIT_SIZE + 1)))


def choose_size(found: Sequence[Distilled], seed: int, games: int, threads: int) -> Distilled:
    """Return the smallest of the trees that play about as well as the best of them."""
    rng = make_rng(seed, "export/size")
    starts = draw_starts(rng, games, _LEVELS_OF_CHOICE, (Speed.MED,), solo=True)
    viruses = 4 * (starts["levels"][:, 0].astype(np.int64) + 1)
    costs = [
        count_cost(play_solo(make_page(one.tuned), starts, threads=threads), viruses).mean()
        for one in found
    ]
    good = [one for one, cost in zip(found, costs, strict=True) if cost <= min(costs) * _NEARLY]
    return min(good, key=lambda one: one.leaves)


def measure_size(tree: Node, seed: int, games: int, threads: int) -> dict[str, Any]:
    """Return a row of the size-strength table, plain JSON values."""
    page = make_page(tree)
    row: dict[str, Any] = {}
    for level in TABLE_LEVELS:
        rng = make_rng(seed, f"export/table {level}")
        starts = draw_starts(rng, games, (level,), (Speed.MED,), solo=True)
        row[f"level_{level}"] = _describe(play_solo(page, starts, threads=threads))
    for level in _MATCH_LEVELS:
        rng = make_rng(seed, f"export/table match {level}")
        starts = draw_starts(rng, games // 2, (level,), (Speed.MED,), solo=False)
        scores = play_match(page, SearchPolicy(depth=1), starts, threads=threads)
        row[f"search_1_level_{level}"] = round(float(scores.mean()), 4)
    return row


def _describe(result: SoloResult) -> dict[str, Any]:
    cleared = bool(result.cleared.any())
    return {
        "clears": round(result.clear_rate, 4),
        "capsules": round(result.capsules_to_clear, 2) if cleared else None,
        "viruses": round(float(result.viruses.mean()), 2),
    }
