"""PettingZoo games that this project did not write, and players of known strength for them.

Turn-based games are played through their own AEC API: any agent names, masks from the observation.
A player maps (observation, mask, rng) to an action and knows nothing of seats or of the league.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np

from league.records import Result, ResultCount

Observation = Any
Player = Callable[[Observation, np.ndarray, np.random.Generator], int]


def make_env(name: str, **options: Any) -> Any:
    """Return a classic game, for example `tictactoe-v3`."""
    import pettingzoo

    return pettingzoo.make("aec", f"classic/{name}", **options)


def play_game(env: Any, players: tuple[Player, Player], rng: np.random.Generator) -> Result:
    """Play one game; return the result for the player who sits first.

    Seats are the order of `possible_agents`, whatever the agents are called.
    """
    env.reset(seed=int(rng.integers(2**31)))
    seat = {agent: index for index, agent in enumerate(env.possible_agents)}
    points = [0.0, 0.0]
    for agent in env.agent_iter():
        observation, reward, termination, truncation, _ = env.last()
        points[seat[agent]] += reward
        if termination or truncation:
            env.step(None)
            continue
        mask = np.ones(env.action_space(agent).n, bool)
        if isinstance(observation, dict):
            mask = np.asarray(observation["action_mask"], bool)
            observation = observation["observation"]
        action = players[seat[agent]](observation, mask, rng)
        assert mask[action], "expected a legal action"
        env.step(action)
    if points[0] == points[1]:
        return "draw"
    return "win" if points[0] > points[1] else "loss"


def play_pairs(
    env: Any, players: Mapping[str, Player], first: str, second: str, pairs: int, seed: int
) -> list[ResultCount]:
    """Play pairs of games with the seats swapped."""
    rng = np.random.default_rng([seed, pairs])
    counts = []
    for _ in range(pairs):
        for seats in ((first, second), (second, first)):
            result = play_game(env, (players[seats[0]], players[seats[1]]), rng)
            counts.append(ResultCount(seats, result, 1))
    return counts


def play_at_random(observation: Observation, mask: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(mask)))


# Tic-tac-toe: planes of own and other marks, shape (3, 3, 2), cell = action.

_LINES = [
    *[tuple(range(start, 9, 3)) for start in range(3)],
    *[tuple(range(start, start + 3)) for start in (0, 3, 6)],
    (0, 4, 8),
    (2, 4, 6),
]


@cache
def tictactoe_value(own: int, other: int) -> int:
    """Return the exact value for who moves next, from bit boards: 1, 0 or -1."""
    if any(all(other >> cell & 1 for cell in line) for line in _LINES):
        return -1
    free = [cell for cell in range(9) if not (own | other) >> cell & 1]
    if not free:
        return 0
    return max(-tictactoe_value(other, own | 1 << cell) for cell in free)


def tictactoe_boards(observation: Observation) -> tuple[int, int]:
    cells = np.asarray(observation).reshape(9, 2)
    own, other = (sum(1 << int(cell) for cell in np.flatnonzero(side)) for side in cells.T)
    return own, other


def play_minimax(observation: Observation, mask: np.ndarray, rng: np.random.Generator) -> int:
    """Draw among the moves of the best exact value."""
    own, other = tictactoe_boards(observation)
    legal = np.flatnonzero(mask)
    values = [-tictactoe_value(other, own | 1 << int(cell)) for cell in legal]
    best = [cell for cell, value in zip(legal, values, strict=True) if value == max(values)]
    return int(rng.choice(best))


def play_careless(mistakes: float) -> Player:
    """Return minimax that moves at random so often."""

    def play(observation: Observation, mask: np.ndarray, rng: np.random.Generator) -> int:
        chosen = play_at_random if rng.random() < mistakes else play_minimax
        return chosen(observation, mask, rng)

    return play


# Connect four: planes of own and other stones, shape (6, 7, 2), row 0 on top.

_COLUMN_BITS = 7
_DIRECTIONS = (1, 7, 6, 8)
"""Up, right, and both diagonals on a board of seven bits per column."""
_CENTRE_FIRST = (3, 2, 4, 1, 5, 0, 6)


def has_four(stones: int) -> bool:
    for step in _DIRECTIONS:
        twos = stones & stones >> step
        if twos & twos >> 2 * step:
            return True
    return False


def connect_four_boards(observation: Observation) -> tuple[int, int]:
    planes = np.asarray(observation)
    own, other = (
        sum(
            1 << int(column) * _COLUMN_BITS + 5 - int(row)
            for row, column in zip(*plane, strict=True)
        )
        for plane in (np.nonzero(planes[:, :, side]) for side in (0, 1))
    )
    return own, other


def search_connect_four(own: int, other: int, depth: int, alpha: int, beta: int) -> int:
    """Return the value for who moves next: sooner wins are worth more, unknown is 0."""
    if has_four(other):
        return -100 - depth
    taken = own | other
    if depth == 0:
        return 0
    moved = False
    for column in _CENTRE_FIRST:
        move = _drop(taken, column)
        if not move:
            continue
        moved = True
        value = -search_connect_four(other, own | move, depth - 1, -beta, -alpha)
        alpha = max(alpha, value)
        if alpha >= beta:
            break
    return alpha if moved else 0


def _drop(taken: int, column: int) -> int:
    """Return the bit on which a stone lands; 0 in a full column."""
    bottom = 1 << column * _COLUMN_BITS
    column_mask = (bottom << 6) - bottom
    return (taken + bottom) & column_mask & ~taken


def play_alpha_beta(depth: int) -> Player:
    """Return a player that looks so many moves ahead and draws among the best."""

    def play(observation: Observation, mask: np.ndarray, rng: np.random.Generator) -> int:
        own, other = connect_four_boards(observation)
        legal = np.flatnonzero(mask)
        values = [
            -search_connect_four(other, own | _drop(own | other, int(column)), depth - 1, -999, 999)
            for column in legal
        ]
        best = [column for column, value in zip(legal, values, strict=True) if value == max(values)]
        return int(rng.choice(best))

    return play


def play_connect_four_ladder(depths: int) -> dict[str, Player]:
    """Return players of known order: at random, then one move deeper each."""
    players: dict[str, Player] = {"depth 0": play_at_random}
    return players | {f"depth {depth}": play_alpha_beta(depth) for depth in range(1, depths)}
