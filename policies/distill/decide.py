"""The small player's decision, in plain Python: candidates, features, tree, ties."""

from __future__ import annotations

from dataclasses import dataclass

from envs.game.capsule import place_halves
from envs.game.layout import ROWS
from policies.distill.features import describe_candidate
from policies.distill.routine import Situation, list_candidates
from policies.distill.spec import DEPTH, FEATURE_NAMES
from policies.distill.tree import Leaf, Node, Split, walk
from policies.drops import Drop


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate with all that the decision knows of it."""

    drop: Drop
    features: tuple[int, ...]
    score: int

    def drop_cells(self, colours: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Return (cell, tile byte) of both halves of a capsule of these colours at rest."""
        drop = self.drop
        return place_halves(drop.column, ROWS - 1 - drop.row, drop.rotation, colours)


def judge_candidates(situation: Situation, tree: Node) -> list[Judged]:
    """Return every candidate with its features and score, in their order."""
    judged = []
    for drop in list_candidates(situation):
        features = describe_candidate(situation, drop)
        judged.append(Judged(drop, features, walk(tree, features)))
    return judged


def choose_best(judged: list[Judged]) -> Judged:
    """Return the candidate of greatest score, then greatest depth, then the first.

    Raises:
        ValueError: There is none; a falling capsule always has one.
    """
    if not judged:
        raise ValueError("expected candidates to choose from, got none")
    return max(judged, key=lambda one: (one.score, one.features[DEPTH]))


def list_path(tree: Node, features: tuple[int, ...]) -> list[str]:
    """Return the questions that lead a candidate to its leaf, each with its answer."""
    path = []
    node = tree
    while isinstance(node, Split):
        below = features[node.feature] < node.threshold
        sign = "<" if below else ">="
        path.append(f"{FEATURE_NAMES[node.feature]} {sign} {node.threshold}")
        node = node.left if below else node.right
    assert isinstance(node, Leaf)
    return [*path, f"value {describe_leaf(node)}"]


def describe_leaf(leaf: Leaf) -> str:
    """Return a leaf in a few signs: its value and, if it has one, its slope."""
    return f"{leaf.value}{leaf.slope:+d}d" if leaf.slope else f"{leaf.value}"
