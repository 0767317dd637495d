"""A league over somebody else's game: the manager, pool, payoff and ratings of a real run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from league.manager import LeagueManager
from league.payoff import Payoff
from league.ratings import Ratings, fit_ratings
from league.records import ResultCount
from league.settings import EvaluationSettings, LeagueSettings
from tests.league.validation.third_party import Player, play_game, play_pairs, tictactoe_boards

SCORES = {"win": 1.0, "draw": 0.5, "loss": 0.0}


class Learner(Protocol):
    """Something that learns from whole games."""

    def player(self) -> Player:
        """Return the player that learns, exploration included."""
        ...

    def freeze(self) -> Player:
        """Return a copy that stays as it is."""
        ...

    def learn(self, score: float) -> None:
        """Learn from the game that `player` has just played."""
        ...


@dataclass
class FinishedLeague:
    """What a league came to."""

    manager: LeagueManager
    players: dict[str, Player]
    counts: list[ResultCount] = field(default_factory=list)
    ratings: Ratings | None = None

    @property
    def newest(self) -> str:
        return self.manager.pool.snapshots[-1]

    def payoff(self) -> Payoff:
        return Payoff.from_counts(self.counts)


def run_league(
    env: Any,
    learner: Learner,
    anchors: dict[str, Player],
    *,
    updates: int,
    snapshot_every: int,
    matchmaking: str = "pfsp",
    games_per_slot: int = 4,
    pairs: int = 8,
    seed: int = 0,
) -> FinishedLeague:
    """Train `learner` for some updates of 4 slots each; the first of `anchors` fixes the scale."""
    first, *_ = anchors
    manager = LeagueManager(
        # The settings know policies of another game only, so the anchors enter below them.
        LeagueSettings(
            scripted=("greedy",), matchmaking=matchmaking, slots=4, snapshot_every=snapshot_every
        ),
        EvaluationSettings(opponents=("greedy",), pairs=pairs),
        total_env_steps=updates,
        seed=seed,
    )
    league = FinishedLeague(manager, {"greedy": anchors[first], **anchors})
    rng = np.random.default_rng([seed, 1])
    elo: dict[str, float] = {}
    payoff: Payoff | None = None
    for update in range(updates + 1):
        if manager.is_snapshot_due(update, last=update == updates):
            elo, payoff = _freeze(league, env, learner, update, elo, payoff)
        results = []
        for name in manager.choose_opponents(elo, payoff):
            for _ in range(games_per_slot):
                left = bool(rng.random() < 0.5)
                mine, other = learner.player(), league.players[name]
                result = play_game(env, (mine, other) if left else (other, mine), rng)
                score = SCORES[result] if left else 1 - SCORES[result]
                learner.learn(score)
                results.append((name, score))
        manager.record_games(results)
    return league


def _freeze(
    league: FinishedLeague,
    env: Any,
    learner: Learner,
    update: int,
    elo: dict[str, float],
    payoff: Payoff | None,
) -> tuple[dict[str, float], Payoff]:
    manager = league.manager
    name = manager.add_snapshot(update, elo, payoff)
    league.players[name] = learner.freeze()
    planned = manager.plan_evaluation(name)
    for opponent in dict.fromkeys(pair.players[1] for pair in planned):
        pairs = [pair for pair in planned if pair.players[1] == opponent]
        league.counts += play_pairs(
            env, league.players, name, opponent, len(pairs), pairs[0].policy_seed
        )
    snapshots = manager.pool.snapshots
    parents = dict(zip(snapshots[1:], snapshots[:-1], strict=True))
    league.ratings = fit_ratings(league.payoff().tallies(), anchor="greedy", parents=parents)
    return {line.name: line.elo for line in league.ratings.ladder()}, league.payoff()


class TicTacToeLearner:
    """A table of values of the positions it leaves behind, learned from the ends of games."""

    def __init__(self, seed: int, *, explore: float = 0.15, step: float = 0.3) -> None:
        self._values: dict[int, float] = {}
        self._rng = np.random.default_rng(seed)
        self._explore, self._step = explore, step
        self._visited: list[int] = []

    def player(self) -> Player:
        self._visited = []

        def play(observation: Any, mask: np.ndarray, rng: np.random.Generator) -> int:
            explores = self._rng.random() < self._explore
            action, key = _best_move(self._values, observation, mask, self._rng, explores)
            if explores:
                # What follows a random move says nothing about the positions before it.
                self._visited.clear()
            self._visited.append(key)
            return action

        return play

    def freeze(self) -> Player:
        values = dict(self._values)
        return lambda observation, mask, rng: _best_move(values, observation, mask, rng, False)[0]

    def learn(self, score: float) -> None:
        target = score
        for key in reversed(self._visited):
            value = self._values.get(key, 0.5)
            value += self._step * (target - value)
            self._values[key] = target = value


def _best_move(
    values: dict[int, float],
    observation: Any,
    mask: np.ndarray,
    rng: np.random.Generator,
    explores: bool,
) -> tuple[int, int]:
    own, other = tictactoe_boards(observation)
    legal = np.flatnonzero(mask)
    keys = [_canonical(own | 1 << int(cell), other) for cell in legal]
    scores = np.array([values.get(key, 0.5) for key in keys])
    best = np.flatnonzero(scores == scores.max())
    chosen = int(rng.integers(len(legal))) if explores else int(rng.choice(best))
    return int(legal[chosen]), keys[chosen]


def _symmetries() -> list[list[int]]:
    board = np.arange(9).reshape(3, 3)
    turned = [np.rot90(side, quarter) for side in (board, board.T) for quarter in range(4)]
    return [[int(cell) for cell in side.reshape(-1)] for side in turned]


_SYMMETRIES = _symmetries()
_WEIGHTS = (1, 3, 9, 27, 81, 243, 729, 2187, 6561)


def _canonical(own: int, other: int) -> int:
    """Return one number for a position and its seven mirror images."""
    cells = [(own >> cell & 1) + 2 * (other >> cell & 1) for cell in range(9)]
    return min(
        sum(cells[cell] * weight for cell, weight in zip(order, _WEIGHTS, strict=True))
        for order in _SYMMETRIES
    )


class RockPaperScissorsLearner:
    """A softmax policy that follows the sampled policy gradient, with an entropy bonus."""

    def __init__(self, seed: int, *, step: float = 0.03, entropy: float = 0.1) -> None:
        self.logits = np.array([1.0, 0.0, 0.0])
        self._rng = np.random.default_rng(seed)
        self._step, self._entropy = step, entropy
        self._action = 0

    def policy(self) -> np.ndarray:
        weights = np.exp(self.logits - self.logits.max())
        return np.asarray(weights / weights.sum())

    def player(self) -> Player:
        def play(observation: Any, mask: np.ndarray, rng: np.random.Generator) -> int:
            self._action = int(self._rng.choice(3, p=self.policy()))
            return self._action

        return play

    def freeze(self) -> Player:
        return FrozenMixture(self.policy())

    def learn(self, score: float) -> None:
        chances = self.policy()
        chosen = np.eye(3)[self._action]
        surprise = -np.log(chances)
        self.logits += self._step * (
            (2 * score - 1) * (chosen - chances)
            + self._entropy * chances * (surprise - chances @ surprise)
        )


class FrozenMixture:
    """Plays fixed probabilities."""

    def __init__(self, chances: np.ndarray) -> None:
        self.chances = chances

    def __call__(self, observation: Any, mask: np.ndarray, rng: np.random.Generator) -> int:
        return int(rng.choice(len(self.chances), p=self.chances))
