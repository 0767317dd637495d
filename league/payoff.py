"""Who beat whom, by seat: counts of results, scores, and the evidence that ratings rest on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from league.records import PairRow, Result, ResultCount
from league.statistics.proportion import Proportion, estimate_proportion
from league.statistics.tallies import DecisivePair, Tally

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SCORES: Final[dict[Result, float]] = {"win": 1.0, "draw": 0.5, "loss": 0.0}
"""A stopped game has no result, so it is left out of every score."""


@dataclass(frozen=True, slots=True)
class Record:
    """Results of one player, or of one player against another."""

    wins: int
    draws: int
    losses: int
    stopped: int
    """Games that met the frame limit, in none of the other three."""

    @property
    def score(self) -> float:
        """(wins + draws / 2) / games with a result; NaN where there are none."""
        games = self.wins + self.draws + self.losses
        return (self.wins + self.draws / 2) / games if games else float("nan")


@dataclass(frozen=True, slots=True)
class Payoff:
    """Counts of results of n players, ordered by name.

    Every array has shape (n, n), int64: row = player in seat 0, column = player in seat 1, and
    results are those of the row.
    """

    names: tuple[str, ...]
    wins: IntArray
    draws: IntArray
    losses: IntArray
    stopped: IntArray

    @classmethod
    def from_counts(cls, counts: Iterable[ResultCount]) -> Payoff:
        """Add up counts; a seating may appear more than once."""
        counts = list(counts)
        names = tuple(sorted({name for count in counts for name in count.players}))
        index = {name: position for position, name in enumerate(names)}
        tables = {
            result: np.zeros((len(names), len(names)), np.int64) for result in get_args(Result)
        }
        for count in counts:
            row, column = (index[name] for name in count.players)
            tables[count.result][row, column] += count.games
        return cls(names, tables["win"], tables["draw"], tables["loss"], tables["stopped"])

    def tallies(self) -> list[Tally]:
        """Return the decisive games by seating."""
        decisive = self.wins + self.losses
        return [
            Tally(self.names[i], self.names[j], int(self.wins[i, j]), int(self.losses[i, j]))
            for i, j in np.argwhere(decisive).tolist()
        ]

    def scores(self) -> FloatArray:
        """Return each row player's score against each column player over both seats.

        Returns:
            Shape (n, n); NaN where the two have no game with a result. Off the diagonal,
            `scores() + scores().T == 1`.
        """
        points, games = self._points_and_games()
        with np.errstate(invalid="ignore"):
            scores: FloatArray = points / games
        return scores

    def blended_scores(self, predicted: FloatArray, prior_games: float) -> FloatArray:
        """Return the posterior mean of each row player's score against each column player.

        Args:
            predicted: Scores that ratings predict, shape (n, n).
            prior_games: How many games the prediction is worth, above 0.

        Returns:
            Shape (n, n), finite: (points + prior_games * predicted) / (games + prior_games).
        """
        points, games = self._points_and_games()
        blended: FloatArray = (points + prior_games * predicted) / (games + prior_games)
        return blended

    def among(self, names: Sequence[str]) -> Payoff:
        """Return the same counts for the given players, in their order; new ones have no games."""
        positions = [self.names.index(name) if name in self.names else -1 for name in names]
        chosen = np.ix_(positions, positions)
        tables = (
            np.pad(table, ((0, 1), (0, 1)))[chosen]
            for table in (self.wins, self.draws, self.losses, self.stopped)
        )
        return Payoff(tuple(names), *tables)

    def draw_rate(self) -> Proportion:
        """Return the share of draws among the games with a result; ratings leave it out."""
        draws = int(self.draws.sum())
        return estimate_proportion(draws, draws + int(self.wins.sum() + self.losses.sum()))

    def record_of(self, name: str, opponent: str | None = None) -> Record:
        """Return the results of `name` over both seats, against one opponent or all.

        Raises:
            KeyError: A name that has no games.
        """
        mine = self._position(name)
        theirs = slice(None) if opponent is None else self._position(opponent)
        return Record(
            wins=int(self.wins[mine, theirs].sum() + self.losses[theirs, mine].sum()),
            draws=int(self.draws[mine, theirs].sum() + self.draws[theirs, mine].sum()),
            losses=int(self.losses[mine, theirs].sum() + self.wins[theirs, mine].sum()),
            stopped=int(self.stopped[mine, theirs].sum() + self.stopped[theirs, mine].sum()),
        )

    def _points_and_games(self) -> tuple[FloatArray, IntArray]:
        """Return wins plus half of the draws over both seats, and the games with a result."""
        points = self.wins + self.draws / 2 + self.losses.T + self.draws.T / 2
        games = self.wins + self.draws + self.losses
        return points, games + games.T

    def _position(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(f"expected a player with games, got {name!r}; have {list(self.names)}")
        return self.names.index(name)


def decisive_pairs(pairs: Iterable[PairRow]) -> list[DecisivePair]:
    """Return the pairs of which both games had a winner."""
    return [
        DecisivePair(*pair.players, (pair.results[0] == "win", pair.results[1] == "win"))
        for pair in pairs
        if set(pair.results) <= {"win", "loss"}
    ]


def pair_scores(pairs: Iterable[PairRow], first: str, second: str) -> FloatArray:
    """Return the mean score of `first` in each pair that it played against `second`.

    Returns:
        Shape (n,), for `league.ratings.elo_difference`. A stopped game is left out of its pair,
        and a pair of two stopped games is left out.
    """
    scores = []
    for pair in pairs:
        if set(pair.players) != {first, second}:
            continue
        known = [_SCORES[result] for result in pair.results if result in _SCORES]
        if known:
            mean = sum(known) / len(known)
            scores.append(mean if pair.players[0] == first else 1 - mean)
    return np.array(scores)
