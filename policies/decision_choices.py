"""Asks policies for the placements of many native games at once, in the way that suits each.

A policy takes part if it places capsules and what it looks at can be read from the games' RAM;
`search`, `greedy`, `noop` and trees have ways of their own, which play as their `act` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any, Final, Literal

import numpy as np

from envs.backends.native_decisions import ROUTE, STEER
from envs.backends.native_duel import choose_candidates, list_candidates, read_positions
from envs.backends.native_search import pack_images
from envs.backends.native_vector import VectorGames
from envs.game.layout import CELLS, COLUMNS, NUM_SEATS
from envs.game.placement import WAIT
from envs.game.state import GameState
from envs.observation import encode_planes
from envs.views import swap_ram
from policies.base import CandidateBatch, Observation, Policy
from policies.greedy import GreedyPolicy
from policies.scoring import ANCHOR_WEIGHTS, ScoreWeights
from policies.scripted import NoopPolicy
from policies.search import SearchPolicy
from policies.tree import TreePolicy

Show = Callable[[VectorGames, np.ndarray, np.ndarray], Any]
"""Makes the observations of some due seats, given by their games and seats, int64 (n,) each."""


def _show_compact(games: VectorGames, slots: np.ndarray, seats: np.ndarray) -> np.ndarray:
    observations: np.ndarray = games.observations[slots, seats]
    return observations


def _show_candidates(games: VectorGames, slots: np.ndarray, seats: np.ndarray) -> CandidateBatch:
    games.show_candidates(NUM_SEATS * slots + seats)
    counts = games.candidate_counts[slots, seats]
    most = max(int(counts.max(initial=0)), 1)
    return CandidateBatch.trim(
        games.observations[slots, seats],
        games.candidates[:, :, :most][slots, seats],
        games.candidate_poses[:, :, :most][slots, seats],
        counts,
    )


def _show_positions(games: VectorGames, slots: np.ndarray, seats: np.ndarray) -> list[GameState]:
    positions = [GameState.from_ram(games.images[slot]).public() for slot in slots]
    return [
        position.swapped() if seat else position
        for position, seat in zip(positions, seats, strict=True)
    ]


def _show_planes(games: VectorGames, slots: np.ndarray, seats: np.ndarray) -> np.ndarray:
    states = [GameState.from_ram(games.images[slot]) for slot in slots]
    return np.stack([encode_planes(*shown) for shown in zip(states, seats.tolist(), strict=True)])


def _show_ram(games: VectorGames, slots: np.ndarray, seats: np.ndarray) -> np.ndarray:
    images = games.images[slots]
    return np.stack(
        [swap_ram(ram) if seat else ram for ram, seat in zip(images, seats, strict=True)]
    )


_SHOW: Final[dict[Observation, Show]] = {
    "compact": _show_compact,
    "candidates": _show_candidates,
    "position": _show_positions,
    "planes": _show_planes,
    "ram": _show_ram,
}


def plays_decisions(policy: Policy) -> bool:
    """Tell whether `choose` can ask this policy; others must be asked frame by frame."""
    if isinstance(policy, NoopPolicy) or find_manner(policy) != "planned":
        return True
    view = policy.view
    return view.actions == "placement" and view.stack == 1 and view.observation in _SHOW


Manner = Literal["planned", "steered", "routed"]
"""How a capsule comes to its pose: on the planner's shortest way, by the taps of `greedy`, or by
the cartridge's movement routine."""


def find_manner(policy: Policy) -> Manner:
    """Return how the native code moves this policy's capsules."""
    if isinstance(policy, TreePolicy):
        return "routed"
    is_anchor = (
        isinstance(policy, GreedyPolicy)
        and policy.action_repeat == 1
        and policy.weights == ANCHOR_WEIGHTS
    )
    return "steered" if is_anchor else "planned"


def needs_candidates(policy: Policy) -> bool:
    """Tell whether the games must write candidate rows for this policy."""
    return policy.view.observation == "candidates"


def can_batch(policy: Policy) -> bool:
    """Tell whether one call may serve many games, as `envs.seat.Seat.can_batch` does."""
    return policy.deterministic and policy.initial_state(1) is None


def choose(
    policy: Policy,
    games: VectorGames,
    slots: np.ndarray,
    seats: np.ndarray,
    state: Any,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Any]:
    """Return what a policy does with the capsules of some due seats.

    Args:
        policy: One that `plays_decisions`.
        games: The games, with candidate rows if the policy needs them.
        slots: int64 (n,): which games.
        seats: int64 (n,): the seat in each.
        state: The policy's state for these rows; None for one that has none.
        rng: Source of what the policy draws.

    Returns:
        Actions, int64 (n,), as `NativeDecisions.decide` takes them; and the next state.
    """
    if isinstance(policy, NoopPolicy):
        return np.full(len(slots), WAIT, np.int64), None
    if find_manner(policy) == "steered":
        return np.full(len(slots), STEER, np.int64), None
    if isinstance(policy, TreePolicy):
        return _walk(policy, games, slots, seats), None
    if isinstance(policy, SearchPolicy):
        return _search(policy, games, slots, seats), None
    observations = _SHOW[policy.view.observation](games, slots, seats)
    return policy.act(observations, games.masks[slots, seats], state, rng)


def list_greedy_weights(weights: ScoreWeights = ANCHOR_WEIGHTS) -> np.ndarray:
    """Return weights as the native code takes them, float64 (n,)."""
    return np.concatenate([np.ravel(value) for value in astuple(weights)]).astype(np.float64)


def _search(
    policy: SearchPolicy, games: VectorGames, slots: np.ndarray, seats: np.ndarray
) -> np.ndarray:
    actions = np.empty(len(slots), np.int64)
    for seat in range(NUM_SEATS):
        mine = seats == seat
        if mine.any():
            positions = pack_images(games.images[slots[mine]], seat)
            actions[mine] = policy.choose_placements(positions)
    return actions


def _walk(
    policy: TreePolicy, games: VectorGames, slots: np.ndarray, seats: np.ndarray
) -> np.ndarray:
    actions = np.empty(len(slots), np.int64)
    for seat in range(NUM_SEATS):
        mine = np.flatnonzero(seats == seat)
        positions = read_positions(games.images[slots[mine]], seat)
        candidates, _ = list_candidates(positions)
        best = candidates[np.arange(len(mine)), choose_candidates(positions, policy.page)]
        rotation, row, column = (
            best[name].astype(np.int64) for name in ("rotation", "row", "column")
        )
        actions[mine] = ROUTE + rotation * CELLS + row * COLUMNS + column
    return actions
