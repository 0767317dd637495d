"""Measures mean and spread of each candidate feature in random play.

`python -m policies.measure_features > policies/feature_statistics.py` writes the numbers by which
new candidate networks normalise their inputs. Networks keep theirs with their weights, so a new
measurement changes none that exist.
"""

from __future__ import annotations

import sys
from typing import Final

import numpy as np

from envs.candidates import CAPACITY, FEATURES
from envs.vector import UniformSetups, VectorEnv

_GAMES: Final = 128
_STEPS: Final = 120
"""Decisions per game."""
_SEED: Final = 0
_LEAST_STD: Final = 0.05
"""A feature that hardly ever moves is not blown up."""
_HEADER: Final = (
    '"""Mean and spread of each candidate feature in random play, in the order of '
    '`envs.candidates`.\n\nWritten by `python -m policies.measure_features`.\n"""\n\n'
    "from typing import Final\n"
)


def measure_features() -> tuple[np.ndarray, np.ndarray]:
    """Return means and standard deviations over all candidates, float64 (78,) each."""
    setups = UniformSetups(levels=tuple(range(21)))
    env = VectorEnv(_GAMES, draw_setup=setups, candidates=CAPACITY)
    rng = np.random.default_rng(_SEED)
    step = env.reset(seed=_SEED)
    batches = []
    for _ in range(_STEPS):
        counts = np.where(step.due, env.games.candidate_counts, 0)
        batches.append(env.games.candidates[np.arange(CAPACITY) < counts[..., None]])
        step = env.step(env.games.draw_actions(rng))
    env.close()
    rows = np.concatenate(batches)
    return rows.mean(0), np.maximum(rows.std(0), _LEAST_STD)


def main() -> None:
    """Print the module `policies.feature_statistics`."""
    lines = [_HEADER.rstrip("\n")]
    for name, values in zip(("MEANS", "STDS"), measure_features(), strict=True):
        lines += ["", f"FEATURE_{name}: Final = ("]
        lines += [
            f"    {value:.4g},  # {feature.name}"
            for value, feature in zip(values.astype(float), FEATURES, strict=True)
        ]
        lines.append(")")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
