"""Other ways to spend a tree's bytes, one honest attempt at each; none is emitted.

All score candidates by the same features, learn from the same targets, and fit into the bytes of a
tree of 64 leaves. `python -m policies.distill.alternatives` prints the table that
`docs/distillation.md` has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends.native_duel import (
    MAX_CANDIDATES,
    OUTSIDE,
    ROUTINE,
    STILL,
    Duels,
    list_candidates,
    read_positions,
)
from envs.game.layout import CELLS, COLUMNS, Speed
from policies.distill.choices import SOFTNESS, Choices, make_targets, pack_rows
from policies.distill.collect import Lessons, collect_lessons
from policies.distill.grow import grow_trees
from policies.distill.play import SoloResult, draw_starts, play_on, read_solo
from policies.distill.spec import DEPTH, FEATURES, MAX_THRESHOLD, NUM_FEATURES
from policies.distill.teacher import make_teacher
from policies.distill.tree import count_bytes, make_page, walk
from policies.search import SearchPolicy

Scorer = Callable[[np.ndarray], np.ndarray]
"""Values of feature rows: uint8 (n, features) in, float64 (n,) out."""

BYTES: Final = count_bytes(64)
_HIGH: Final = np.array([min(feature.high, MAX_THRESHOLD) for feature in FEATURES], np.float64)
"""By feature: larger values count as this one, as they do to a tree."""
_SOFTNESS: Final = 1.0
"""Of the targets of all but the tree."""
_RULE_BYTES: Final = 5
"""Two conditions of a byte and a threshold each, and a value."""
_MAX_FRAMES: Final = 36_000
_EPOCHS: Final = 400
_RATE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Examples:
    """Feature rows with what they are worth; equal rows are one."""

    rows: np.ndarray
    """int64 (n, features)."""
    counts: np.ndarray
    """float64 (n,): how many rows were merged."""
    sums: np.ndarray
    """float64 (n,): sum of their targets."""

    @classmethod
    def merge(cls, rows: np.ndarray, targets: np.ndarray) -> Examples:
        """Merge equal rows.

        Args:
            rows: uint8 (n, features), each value below 64.
            targets: float64 (n,).
        """
        _, first, inverse = np.unique(pack_rows(rows), return_index=True, return_inverse=True)
        return cls(
            rows[first].astype(np.int64),
            np.bincount(inverse).astype(np.float64),
            np.bincount(inverse, targets),
        )


def make_table(rows: np.ndarray, targets: np.ndarray) -> Scorer:
    """Return a lookup table by a hash of the features, a byte an entry."""
    sums = np.bincount(_hash(rows), targets, BYTES)
    counts = np.bincount(_hash(rows), minlength=BYTES)
    values = _quantise(sums / np.maximum(counts, 1))
    return lambda asked: values[_hash(asked)]


def make_network(examples: Examples, rng: np.random.Generator, *, one_bit: bool) -> Scorer:
    """Return a network of one hidden layer, its weights of 8 bits or of one.

    Eight bits: 17 units of 9 weights, a bias and an output weight. One bit: 84 units of 9 signs,
    a bias of 8 bits and an output sign.
    """
    bits = NUM_FEATURES + 1 + 8 if one_bit else 8 * (NUM_FEATURES + 2)
    units = 8 * BYTES // bits
    inputs = _scale(examples.rows)
    means = examples.sums / examples.counts
    weights = examples.counts / examples.counts.sum()
    scale = float(np.sqrt((weights * (means - (weights * means).sum()) ** 2).sum()))
    goals = (means - (weights * means).sum()) / scale
    first = rng.normal(0, 0.5, (NUM_FEATURES, units))
    bias = rng.normal(0, 0.5, units)
    second = rng.normal(0, 0.5, units)
    gain = np.array([1.0 / units if one_bit else 1.0])
    parameters = [first, bias, second, gain]
    moments = [np.zeros((2, *one.shape)) for one in parameters]
    rounding = np.sign if one_bit else _round_to_eighths
    for epoch in range(1, _EPOCHS + 1):
        used, out = rounding(first), rounding(second)
        hidden = np.maximum(0.0, inputs @ used + bias)
        error = weights * (gain[0] * (hidden @ out) - goals)
        back = np.outer(error * gain[0], out) * (hidden > 0)
        # Gradients pass through the rounding as if it were not there.
        gradients = [
            inputs.T @ back,
            back.sum(axis=0),
            gain[0] * (hidden.T @ error),
            np.array([error @ (hidden @ out)]),
        ]
        _step(parameters, gradients, moments, epoch)
    used, out, offsets = rounding(first), rounding(second), _round_to_eighths(bias)
    return lambda rows: np.maximum(0.0, _scale(rows) @ used + offsets) @ out


def make_rules(examples: Examples) -> Scorer:
    """Return a list of rules of two conditions each; the first that holds gives the value."""
    conditions = [
        (feature, threshold, below)
        for feature, one in enumerate(FEATURES)
        for threshold in range(one.low + 1, min(one.high, MAX_THRESHOLD) + 1)
        for below in (True, False)
    ]
    holds = np.stack([_holds(examples.rows, condition) for condition in conditions]).astype(float)
    left = np.ones(len(examples.rows))
    rules: list[tuple[int, int, float]] = []
    for _ in range(BYTES // _RULE_BYTES - 1):
        counts = (holds * (examples.counts * left)) @ holds.T
        sums = (holds * (examples.sums * left)) @ holds.T
        total, mass = (examples.sums * left).sum(), (examples.counts * left).sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            rest, others = total - sums, mass - counts
            gains = sums**2 / counts + rest**2 / others - total**2 / mass
        gains[~np.isfinite(gains)] = -1.0
        one, other = np.unravel_index(int(gains.argmax()), gains.shape)
        if gains[one, other] <= 0:
            break
        rules.append((int(one), int(other), float(sums[one, other] / counts[one, other])))
        left *= 1 - holds[one] * holds[other]
    last = float((examples.sums * left).sum() / max((examples.counts * left).sum(), 1.0))
    values = _quantise(np.array([value for *_, value in rules] + [last]))

    def score(rows: np.ndarray) -> np.ndarray:
        found = np.full(len(rows), values[-1])
        for (one, other, _), value in reversed(list(zip(rules, values, strict=False))):
            found[_holds(rows, conditions[one]) & _holds(rows, conditions[other])] = value
        return found

    return score


def play_scorer(score: Scorer, starts: np.ndarray) -> SoloResult:
    """Play solo rounds with any scorer, ties and movement as a tree has them."""
    duels = Duels(starts)
    duels.seats["control"] = [OUTSIDE, STILL]
    duels.seats["manner"] = ROUTINE
    duels.waiting[:, 0] = True
    while duels.waiting.any():
        rows = np.flatnonzero(duels.waiting[:, 0])
        candidates, counts = list_candidates(read_positions(duels.images[rows], 0))
        features = candidates["features"]
        values = score(features.reshape(-1, NUM_FEATURES)).reshape(features.shape[:2])
        values[np.arange(MAX_CANDIDATES) >= counts[:, None]] = -np.inf
        best = values.max(axis=1, keepdims=True)
        depths = np.where(values == best, features[:, :, DEPTH], 0)
        chosen = candidates[np.arange(len(rows)), depths.argmax(axis=1)]
        duels.seats["pose"][rows, 0] = (
            chosen["rotation"].astype(np.int16) * CELLS
            + chosen["row"].astype(np.int16) * COLUMNS
            + chosen["column"]
        )
        play_on(duels)
    return read_solo(duels)


def make_tree(lessons: Lessons) -> Scorer:
    """Return the tree that the others are beside, untuned."""
    (tree,) = grow_trees(Choices.merge(lessons, SOFTNESS), (64,))
    assert len(make_page(tree)) >= BYTES
    return lambda rows: np.array([walk(tree, row) for row in rows.tolist()], np.float64)


def list_scorers(lessons: Lessons, rng: np.random.Generator) -> dict[str, Scorer]:
    """Return every attempt by name, learned from the same lessons."""
    real = lessons.is_candidate
    rows, targets = lessons.features[real], make_targets(lessons, _SOFTNESS)[real]
    examples = Examples.merge(rows, targets)
    return {
        "tree, 64 leaves": make_tree(lessons),
        "lookup table by hash": make_table(rows, targets),
        "fixed-point network": make_network(examples, rng, one_bit=False),
        "1-bit network": make_network(examples, rng, one_bit=True),
        "rules": make_rules(examples),
    }


def main(positions: int = 8_000, games: int = 100) -> None:
    """Print what each attempt does with equal bytes, solo at MED."""
    rng = np.random.default_rng(0)
    teacher = make_teacher(SearchPolicy(), rng)
    lessons = collect_lessons(teacher, None, positions, 1.0, rng)
    for name, scorer in list_scorers(lessons, rng).items():
        cells = []
        for level in (0, 5, 10):
            starts = draw_starts(
                np.random.default_rng(level), games, (level,), (Speed.MED,), solo=True
            )
            result = play_scorer(scorer, starts)
            cells.append(f"{100 * result.clear_rate:.0f} % / {result.capsules_to_clear:.1f}")
        sys.stdout.write(f"| {name} | {BYTES} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


def _scale(rows: np.ndarray) -> np.ndarray:
    """Return rows as inputs of a network, -1..1."""
    inputs: np.ndarray = np.minimum(rows, _HIGH) / _HIGH * 2 - 1
    return inputs


def _hash(rows: np.ndarray) -> np.ndarray:
    keys = np.zeros(len(rows), np.int64)
    for feature in range(NUM_FEATURES):
        keys = keys * 31 + rows[:, feature]
    hashed: np.ndarray = keys % BYTES
    return hashed


def _quantise(values: np.ndarray) -> np.ndarray:
    spread = float(values.max() - values.min()) or 1.0
    scaled: np.ndarray = np.rint(1 + 126 * (values - values.min()) / spread)
    return scaled


def _round_to_eighths(values: np.ndarray) -> np.ndarray:
    """Return fixed-point numbers of 8 bits, 5 before and 3 behind the point."""
    rounded: np.ndarray = np.clip(np.rint(values * 8), -128, 127) / 8
    return rounded


def _holds(rows: np.ndarray, condition: tuple[int, int, bool]) -> np.ndarray:
    feature, threshold, below = condition
    held: np.ndarray = (rows[:, feature] < threshold) == below
    return held


def _step(
    parameters: list[np.ndarray],
    gradients: list[np.ndarray],
    moments: list[np.ndarray],
    epoch: int,
) -> None:
    """Adam, with its usual constants."""
    for one, gradient, moment in zip(parameters, gradients, moments, strict=True):
        moment[0] = 0.9 * moment[0] + 0.1 * gradient
        moment[1] = 0.999 * moment[1] + 0.001 * gradient**2
        mean, square = moment[0] / (1 - 0.9**epoch), moment[1] / (1 - 0.999**epoch)
        one -= _RATE * mean / (np.sqrt(square) + 1e-8)


if __name__ == "__main__":
    main()
