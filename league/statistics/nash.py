"""Nash averaging: who is strong against the mixture of players that nobody can exploit.

Unlike a rating, it sees that rock, paper and scissors are equal, and it does not change when a
player enters twice. Needs numpy and scipy only.

Source: Balduzzi et al. (2018), "Re-evaluating evaluation"; Goldman and Tucker (1956) for the
support of the relative interior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog, minimize

FloatArray = NDArray[np.float64]

_TOLERANCE: Final = 1e-7
"""Advantage below which a strategy counts as unprofitable; what the solver can tell from 0."""
_ITERATIONS: Final = 2000


@dataclass(frozen=True, slots=True)
class NashAverage:
    """The maximum-entropy Nash equilibrium of a symmetric zero-sum game among n players."""

    mixture: FloatArray
    """Probability of each player, shape (n,)."""
    skill: FloatArray
    """Each player's advantage over the mixture, shape (n,), at most 0 up to rounding; 0 for those
    in its support. In the unit of the advantages that were given."""


def nash_average(advantages: ArrayLike) -> NashAverage:
    """Return the Nash average of a table of players.

    Args:
        advantages: Of each row player over each column player, shape (n, n): scores minus 0.5, or
            log odds. Only the antisymmetric part counts.

    Returns:
        The equilibrium of most entropy, which treats equal players alike.

    Raises:
        ValueError: No square table of finite numbers.
    """
    table = np.asarray(advantages, np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not np.all(np.isfinite(table)):
        raise ValueError(f"expected a square table of finite numbers, got shape {table.shape}")
    table = (table - table.T) / 2
    scale = float(np.abs(table).max(initial=0.0))
    if scale == 0.0:
        return NashAverage(np.full(len(table), 1 / max(len(table), 1)), np.zeros(len(table)))
    mixture = _most_even_equilibrium(table / scale)
    return NashAverage(mixture, table @ mixture)


def _find_support(table: FloatArray) -> NDArray[np.bool_]:
    """Return which players some equilibrium uses.

    Equilibria are the x >= 0 with table @ x <= 0, up to scale, so one linear program can ask for
    one unit of every player at once.
    """
    count = len(table)
    eye, nothing = np.eye(count), np.zeros((count, count))
    solution = linprog(
        np.concatenate([np.zeros(count), -np.ones(count)]),
        A_ub=np.block([[table, nothing], [-eye, eye]]),
        b_ub=np.zeros(2 * count),
        bounds=[(0, None)] * count + [(0, 1)] * count,
        method="highs",
    )
    support: NDArray[np.bool_] = solution.x[count:] > 0.5
    return support


def _most_even_equilibrium(table: FloatArray) -> FloatArray:
    """Maximise the entropy over all equilibria, by its dual: x_j is exp(-(m @ table)_j) / Z.

    Within the support everyone's advantage is 0, outside at most 0, hence free and non-negative
    multipliers.
    """
    support = _find_support(table)
    columns = table[:, support]
    bounds = [(None, None) if inside else (0.0, None) for inside in support]

    def dual(multipliers: FloatArray) -> tuple[float, FloatArray]:
        energy = -multipliers @ columns
        top = energy.max()
        weights = np.exp(energy - top)
        total = weights.sum()
        return float(top + np.log(total)), -columns @ (weights / total)

    found = minimize(
        dual,
        np.zeros(len(table)),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": _ITERATIONS, "maxfun": 10 * _ITERATIONS, "ftol": 0, "gtol": _TOLERANCE},
    )
    energy = -found.x @ columns
    weights = np.exp(energy - energy.max())
    mixture = np.zeros(len(table))
    mixture[support] = weights / weights.sum()
    return mixture


def exploitability(mixture: ArrayLike, advantages: ArrayLike) -> float:
    """Return the largest advantage that any player has over a mixture of them; 0 at a Nash."""
    table = np.asarray(advantages, np.float64)
    return max(float(np.max(table @ np.asarray(mixture, np.float64))), 0.0)
