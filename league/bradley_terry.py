"""The Bradley-Terry likelihood with a seat term, and its maximum.

    x = theta[i] - theta[j] + gamma (if i sat in seat 0);  P(i wins) = 1 / (1 + exp(-x))

Everything here is in nats, the natural log of odds; `league.ratings` turns it into Elo points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.csgraph import connected_components

from league.elo import ELO_PER_NAT, sigmoid

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PARENT_SD: Final = 400.0
"""Elo points: standard deviation of a snapshot's rating around that of its parent."""
SEAT_SD: Final = 100.0
"""Elo points: standard deviation of the seat term around 0, where the games say nothing."""
_MAX_NEWTON_STEPS: Final = 100
_TOLERANCE: Final = 1e-11
"""Nats; the fit stops when no parameter moves further."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Weighted outcomes of x = theta[i] - theta[j] + seat * gamma, one row per ordered seating."""

    i: IntArray
    j: IntArray
    seat: FloatArray
    """1 where i sat in seat 0, 0 where the seat does not count."""
    won: FloatArray
    lost: FloatArray


@dataclass(frozen=True, slots=True)
class Links:
    """Gaussian ties between children and parents, in nats."""

    child: IntArray
    parent: IntArray


def free_parameters(count: int, rows: Outcomes, links: Links, anchor: int) -> IntArray:
    """Return the parameters to fit: all but the anchor and one player of each loose component.

    The last one, `count`, is the seat term.
    """
    tied = np.zeros((count, count))
    tied[rows.i, rows.j] = 1
    tied[links.child, links.parent] = 1
    _, component = connected_components(tied, directed=False)
    _, first = np.unique(component, return_index=True)
    pinned = {int(member) for member in first if component[member] != component[anchor]}
    return np.array([k for k in range(count + 1) if k != anchor and k not in pinned], np.int64)


def maximise_likelihood(
    count: int, rows: Outcomes, links: Links, free: IntArray
) -> tuple[FloatArray, float, FloatArray]:
    """Maximise the penalised likelihood by Newton steps, halved where they overshoot.

    Returns:
        Player parameters in nats, shape (count,), those not in `free` at 0; the seat term in
        nats; covariance in nats squared, shape (count + 1, count + 1), the seat term last.
    """
    parameters = np.zeros(count + 1)
    best = _objective(parameters, rows, links)
    for _ in range(_MAX_NEWTON_STEPS):
        gradient, information = _derivatives(parameters, rows, links)
        step = np.zeros(count + 1)
        step[free] = cho_solve(cho_factor(information[np.ix_(free, free)]), gradient[free])
        while (value := _objective(parameters + step, rows, links)) < best - 1e-9:
            step /= 2
        parameters, best = parameters + step, value
        if np.max(np.abs(step)) < _TOLERANCE:
            break
    _, information = _derivatives(parameters, rows, links)
    covariance = np.zeros_like(information)
    inner = cho_factor(information[np.ix_(free, free)])
    covariance[np.ix_(free, free)] = cho_solve(inner, np.eye(len(free)))
    return parameters[:-1], float(parameters[-1]), covariance


def _objective(parameters: FloatArray, rows: Outcomes, links: Links) -> float:
    x = parameters[rows.i] - parameters[rows.j] + rows.seat * parameters[-1]
    gaps = parameters[links.child] - parameters[links.parent]
    log_likelihood = -rows.won @ np.logaddexp(0, -x) - rows.lost @ np.logaddexp(0, x)
    penalty = gaps @ gaps / PARENT_SD**2 + parameters[-1] ** 2 / SEAT_SD**2
    return float(log_likelihood - 0.5 * ELO_PER_NAT**2 * penalty)


def _derivatives(
    parameters: FloatArray, rows: Outcomes, links: Links
) -> tuple[FloatArray, FloatArray]:
    """Return the gradient, shape (n + 1,), and minus the Hessian, shape (n + 1, n + 1)."""
    size = len(parameters)
    seat_weight, link_weight = (ELO_PER_NAT / SEAT_SD) ** 2, (ELO_PER_NAT / PARENT_SD) ** 2
    x = parameters[rows.i] - parameters[rows.j] + rows.seat * parameters[-1]
    chance = sigmoid(x)
    slope = rows.won - (rows.won + rows.lost) * chance
    curve = (rows.won + rows.lost) * chance * (1 - chance)
    gaps = parameters[links.child] - parameters[links.parent]
    gradient = np.zeros(size)
    information = np.zeros((size, size))
    np.add.at(gradient, rows.i, slope)
    np.add.at(gradient, rows.j, -slope)
    np.add.at(gradient, links.child, -link_weight * gaps)
    np.add.at(gradient, links.parent, link_weight * gaps)
    gradient[-1] = slope @ rows.seat - seat_weight * parameters[-1]
    _add_springs(information, rows.i, rows.j, curve)
    _add_springs(information, links.child, links.parent, np.full(len(gaps), link_weight))
    np.add.at(information[-1], rows.i, curve * rows.seat)
    np.add.at(information[-1], rows.j, -curve * rows.seat)
    information[:-1, -1] = information[-1, :-1]
    information[-1, -1] = curve @ rows.seat + seat_weight
    return gradient, information


def _add_springs(matrix: FloatArray, i: IntArray, j: IntArray, weight: FloatArray) -> None:
    for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
        np.add.at(matrix, (a, b), sign * weight)
