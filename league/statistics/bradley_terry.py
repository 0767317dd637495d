"""The Bradley-Terry likelihood with covariates, and its maximum.

    x = theta[i] - theta[j] + z . beta;  P(i wins) = 1 / (1 + exp(-x))

The covariates z are what else favours i: the seat, a handicap. Everything here is in nats, the
natural log of odds; `league.ratings` turns it into Elo points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.csgraph import connected_components

from league.statistics.elo import ELO_PER_NAT, sigmoid

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PARENT_SD: Final = 400.0
"""Elo points: standard deviation of a snapshot's rating around that of its parent."""
_MAX_NEWTON_STEPS: Final = 100
_TOLERANCE: Final = 1e-11
"""Nats; the fit stops when no parameter moves further."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Weighted outcomes of x = theta[i] - theta[j] + z . beta, m rows."""

    i: IntArray
    j: IntArray
    """Players by index, shape (m,)."""
    covariates: FloatArray
    """z, shape (m, k): for example 1 where i sat in seat 0."""
    won: FloatArray
    lost: FloatArray
    """Games that i won and lost, shape (m,)."""
    scale: FloatArray
    """Nats, shape (k,): standard deviation of beta around 0, where the games say nothing."""


@dataclass(frozen=True, slots=True)
class Links:
    """Gaussian ties between children and parents, in nats."""

    child: IntArray
    parent: IntArray


def free_parameters(count: int, rows: Outcomes, links: Links, anchor: int) -> IntArray:
    """Return the parameters to fit: all but the anchor and one player of each loose component.

    Those from `count` on are the covariates'.
    """
    tied = np.zeros((count, count))
    tied[rows.i, rows.j] = 1
    tied[links.child, links.parent] = 1
    _, component = connected_components(tied, directed=False)
    _, first = np.unique(component, return_index=True)
    pinned = {int(member) for member in first if component[member] != component[anchor]}
    size = count + len(rows.scale)
    return np.array([k for k in range(size) if k != anchor and k not in pinned], np.int64)


def maximise_likelihood(
    count: int, rows: Outcomes, links: Links, free: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Maximise the penalised likelihood by Newton steps, halved where they overshoot.

    Returns:
        Player parameters in nats, shape (count,), those not in `free` at 0; beta in nats, shape
        (k,); covariance in nats squared, shape (count + k, count + k), beta last.
    """
    parameters = np.zeros(count + len(rows.scale))
    best = _objective(parameters, rows, links)
    for _ in range(_MAX_NEWTON_STEPS):
        gradient, information = _derivatives(parameters, rows, links)
        step = np.zeros(len(parameters))
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
    return parameters[:count], parameters[count:], covariance


def log_odds(theta: FloatArray, beta: FloatArray, rows: Outcomes) -> FloatArray:
    """Return x of every row, in nats, shape (m,)."""
    odds: FloatArray = theta[rows.i] - theta[rows.j] + rows.covariates @ beta
    return odds


def log_likelihood(odds: FloatArray, rows: Outcomes) -> float:
    """Return the log likelihood of the rows at the given x."""
    return float(-rows.won @ np.logaddexp(0, -odds) - rows.lost @ np.logaddexp(0, odds))


def _objective(parameters: FloatArray, rows: Outcomes, links: Links) -> float:
    count = len(parameters) - len(rows.scale)
    theta, beta = parameters[:count], parameters[count:]
    gaps = (theta[links.child] - theta[links.parent]) * ELO_PER_NAT / PARENT_SD
    penalty = gaps @ gaps + np.sum((beta / rows.scale) ** 2)
    return float(log_likelihood(log_odds(theta, beta, rows), rows) - 0.5 * penalty)


def _derivatives(
    parameters: FloatArray, rows: Outcomes, links: Links
) -> tuple[FloatArray, FloatArray]:
    """Return the gradient, shape (n + k,), and minus the Hessian, shape (n + k, n + k)."""
    size, covariates = len(parameters), rows.covariates
    count = size - len(rows.scale)
    theta, beta = parameters[:count], parameters[count:]
    link_weight = (ELO_PER_NAT / PARENT_SD) ** 2
    chance = sigmoid(log_odds(theta, beta, rows))
    slope = rows.won - (rows.won + rows.lost) * chance
    curve = (rows.won + rows.lost) * chance * (1 - chance)
    gaps = theta[links.child] - theta[links.parent]
    gradient = np.zeros(size)
    information = np.zeros((size, size))
    np.add.at(gradient, rows.i, slope)
    np.add.at(gradient, rows.j, -slope)
    np.add.at(gradient, links.child, -link_weight * gaps)
    np.add.at(gradient, links.parent, link_weight * gaps)
    gradient[count:] = slope @ covariates - beta / rows.scale**2
    _add_springs(information, rows.i, rows.j, curve)
    _add_springs(information, links.child, links.parent, np.full(len(gaps), link_weight))
    weighted = curve[:, None] * covariates
    cross = np.zeros((count, len(beta)))
    np.add.at(cross, rows.i, weighted)
    np.add.at(cross, rows.j, -weighted)
    information[:count, count:], information[count:, :count] = cross, cross.T
    information[count:, count:] = covariates.T @ weighted + np.diag(rows.scale**-2.0)
    return gradient, information


def _add_springs(matrix: FloatArray, i: IntArray, j: IntArray, weight: FloatArray) -> None:
    for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
        np.add.at(matrix, (a, b), sign * weight)
