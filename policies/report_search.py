"""Measures how well `search` plays: `python -m policies.report_search`.

Solo rounds at the real falling speed on drawn boards; a table of clears, viruses per minute and
capsules per virus, a line per setting. Then rounds against itself at level 11, MED.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from envs.game.layout import Speed
from policies.search import DEFAULT_WIDTH, SearchPolicy
from policies.search_rounds import Rounds, play_solo_rounds, play_versus_rounds

LEVELS: Final = (5, 10, 11, 15, 20)
SPEEDS: Final = (Speed.MED, Speed.HI)
DEFAULT_ROUNDS: Final = 400
VERSUS_LEVEL: Final = 11
DEFAULT_VERSUS: Final = 200


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of the table."""

    policy: SearchPolicy
    level: int
    speed: Speed


def list_settings(depths: Sequence[int], levels: Sequence[int], width: int) -> Iterator[Setting]:
    """Return all settings, by depth, speed and level."""
    for depth in depths:
        for speed in SPEEDS:
            for level in levels:
                yield Setting(SearchPolicy(depth, width), level, speed)


def measure(setting: Setting, rounds: int, seed: int) -> Rounds:
    """Play the solo rounds of a setting."""
    return play_solo_rounds(setting.policy, setting.level, setting.speed, rounds, seed=seed)


def describe(setting: Setting, rounds: Rounds) -> str:
    """Return a line of the table."""
    return (
        f"{setting.policy.name:<24} {setting.level:>5} {setting.speed.name:<5} "
        f"{len(rounds.frames):>6} {rounds.cleared.mean():>8.1%} "
        f"{rounds.viruses_per_minute:>11.1f} {rounds.capsules_per_virus:>14.2f}\n"
    )


def score_versus(first: SearchPolicy, second: SearchPolicy, rounds: int, seed: int) -> float:
    """Return the share of rounds that `first` wins at level 11, MED, draws by half, sides equal."""
    won = 0.0
    for policies, seat in (((first, second), 0), ((second, first), 1)):
        played = play_versus_rounds(policies, VERSUS_LEVEL, Speed.MED, rounds // 2, seed=seed)
        won += (played.winners == seat).sum() + 0.5 * (played.winners < 0).sum()
    return won / (rounds // 2 * 2)


def list_matches(width: int) -> Iterator[tuple[str, SearchPolicy, SearchPolicy]]:
    """Return what is played against each other, with its title."""
    deep, shallow = SearchPolicy(2, width), SearchPolicy(1, width)
    yield "depth 2 against depth 1", deep, shallow
    for policy in (shallow, deep):
        blind = replace(policy, weights=replace(policy.weights, garbage_sent=0.0))
        yield f"depth {policy.depth} against itself without garbage_sent", policy, blind


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure how well `search` plays.")
    parser.add_argument("--rounds", type=int, default=DEFAULT_ROUNDS)
    parser.add_argument("--versus", type=int, default=DEFAULT_VERSUS, help="rounds; 0 for none")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--width", type=int, default=DEFAULT_WIDTH)
    parser.add_argument("--depths", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--levels", type=int, nargs="+", default=LEVELS)
    options = parser.parse_args()
    sys.stdout.write(
        "policy                   level speed rounds  cleared viruses/min capsules/virus\n"
    )
    for setting in list_settings(options.depths, options.levels, options.width):
        rounds = measure(setting, options.rounds, options.seed)
        sys.stdout.write(describe(setting, rounds))
        sys.stdout.flush()
    for title, first, second in list_matches(options.width) if options.versus else ():
        score = score_versus(first, second, options.versus, options.seed)
        sys.stdout.write(f"{title}: {score:.3f} of {options.versus} rounds\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
