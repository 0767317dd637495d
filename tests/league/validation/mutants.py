"""Seeded faults of the league core, and the test that catches each.

    python -m tests.league.validation.mutants [TEXT]

copies the code, breaks the copy in one place at a time, runs the tests that should notice, and
prints which one failed. TEXT picks the faults that contain it. Exit 1 if a fault survives.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LINKED = ("envs", "policies", "integrations", "configs", "pyproject.toml")
"""What the copy shares with the checkout; only `league` and its tests are copied."""

COVERAGE = "validation/test_coverage.py"


@dataclass(frozen=True)
class Mutant:
    """One fault."""

    fault: str
    file: str
    """In `league/`."""
    old: str
    """Text that occurs once in the file."""
    new: str
    tests: tuple[str, ...]
    """Files in `tests/league/`, or tests of them, that should notice."""


MUTANTS = (
    Mutant(
        "a draw counts as a win of the left seat",
        "payoff.py",
        "int(self.wins[i, j]), int(self.losses[i, j]))",
        "int(self.wins[i, j] + self.draws[i, j]), int(self.losses[i, j]))",
        ("test_payoff.py",),
    ),
    Mutant(
        "a prior of 20 games instead of 0.2 shortens the ladder",
        "ratings.py",
        "PSEUDO_GAMES: Final = 0.2",
        "PSEUDO_GAMES: Final = 20.0",
        (f"{COVERAGE}::test_intervals_of_differences_cover_the_truth[ladder_of_3000]",),
    ),
    Mutant(
        "no seat term",
        "ratings.py",
        "SEAT_SD: Final = 100.0",
        "SEAT_SD: Final = 1e-6",
        (f"{COVERAGE}::test_intervals_of_differences_cover_the_truth[seat_bonus]",),
    ),
    Mutant(
        "no handicap term",
        "ratings.py",
        "LEVEL_SD: Final = 400.0",
        "LEVEL_SD: Final = 1e-6",
        (f"{COVERAGE}::test_intervals_of_differences_cover_the_truth[handicaps]",),
    ),
    Mutant(
        "errors of a difference added as if independent",
        "ratings.py",
        " - 2 * self.covariance[i, j]",
        "",
        (f"{COVERAGE}::test_intervals_of_differences_cover_the_truth[ladder_of_1000]",),
    ),
    Mutant(
        "games of a pair taken for independent",
        "ratings.py",
        "covariance *= dispersion * ELO_PER_NAT**2",
        "covariance *= ELO_PER_NAT**2",
        (f"{COVERAGE}::test_intervals_of_differences_cover_the_truth[mirrored_pairs]",),
    ),
    Mutant(
        "a snapshot tied to its parent",
        "statistics/bradley_terry.py",
        "PARENT_SD: Final = 400.0",
        "PARENT_SD: Final = 10.0",
        (f"{COVERAGE}::test_intervals_of_differences_cover_the_truth[lineage]",),
    ),
    Mutant(
        "the anchor drifts",
        "ratings.py",
        "    theta += anchor_rating / ELO_PER_NAT\n",
        "    theta += anchor_rating / ELO_PER_NAT - theta.mean()\n",
        ("test_ratings.py::test_the_anchor_stands_where_it_is_put",),
    ),
    Mutant(
        "an undefeated player gets a 50 % bound",
        "statistics/rating_bounds.py",
        "_CONFIDENCE: Final = 0.95",
        "_CONFIDENCE: Final = 0.5",
        ("statistics/test_rating_bounds.py::test_a_chain_of_sweeps_adds_up_its_bounds",),
    ),
    Mutant(
        "online ratings rounded to whole points",
        "statistics/online_elo.py",
        "change = self._k * (score - expected)",
        "change = round(self._k * (score - expected))",
        ("statistics/test_online_elo.py",),
    ),
    Mutant(
        "a seat bonus passes for a cycle",
        "statistics/cycles.py",
        "odds = log_odds(theta, beta, rows)",
        "odds = log_odds(theta, 0 * beta, rows)",
        ("statistics/test_cycles.py::test_a_seat_bonus_is_no_cycle",),
    ),
    Mutant(
        "the sequential test stops after two games",
        "statistics/sequential.py",
        "if len(scores) < self.min_samples:",
        "if len(scores) < 2:",
        ("statistics/test_sequential.py::test_no_verdict_before_the_minimum",),
    ),
    Mutant(
        "the gate keeps its window after a snapshot",
        "snapshot_gate.py",
        '        """Begin again, with a new snapshot to beat."""\n        self._scores.clear()\n',
        '        """Begin again, with a new snapshot to beat."""\n',
        ("test_manager.py::test_a_clearly_stronger_main_is_frozen_early",),
    ),
    Mutant(
        "no floor under the draws",
        "matchmaking.py",
        "(1 - floor) * chosen + floor * even",
        "chosen",
        ("test_matchmaking.py::test_nobody_falls_below_the_floor",),
    ),
    Mutant(
        "nothing of the pool in the mix",
        "matchmaking.py",
        "PRIORITISED_SHARE: Final = 0.5",
        "PRIORITISED_SHARE: Final = 0.0",
        ("test_matchmaking.py::test_probabilities_follow_the_formula",),
    ),
    Mutant(
        "matchmaking sees ratings only",
        "matchmaking.py",
        "PRIOR_GAMES: Final = 8.0",
        "PRIOR_GAMES: Final = 8e9",
        ("test_matchmaking.py::test_a_nemesis_that_ratings_do_not_see_is_drawn_more",),
    ),
    Mutant(
        "results never fade",
        "recent.py",
        "fade = 0.5 ** (1 / HALF_LIFE)",
        "fade = 1.0",
        ("test_recent.py",),
    ),
    Mutant(
        "eviction forgets the exploiters",
        "pool.py",
        "return {*newest, *best, *first, *self._exploiters}",
        "return {*newest, *best, *first}",
        ("test_pool.py",),
    ),
    Mutant(
        "eviction forgets the Nash support",
        "manager.py",
        "NASH_SHARE: Final = 0.02",
        "NASH_SHARE: Final = 2.0",
        ("test_manager.py::test_the_nash_support_is_not_retired",),
    ),
    Mutant(
        "an exploiter is reset before it is named",
        "manager.py",
        "        return name, parent\n",
        "        return name, exploiter.start\n",
        ("test_roles.py::test_a_main_exploiter_is_stored_before_it_starts_anew",),
    ),
    Mutant(
        "an exploiter loads the same start every turn",
        "roles.py",
        "        self._pending = False\n        return start\n",
        "        return start\n",
        ("test_roles.py::test_an_exploiter_starts_from_a_snapshot_of_main_once",),
    ),
    Mutant(
        "rated rounds come twice",
        "manager.py",
        "self._num_pairs % NUM_SEEDS",
        "self._num_pairs % 64",
        ("test_manager.py::test_no_rated_round_comes_twice",),
    ),
    Mutant(
        "the sampler draws by another rule than it tells",
        "matchmaking.py",
        "size=count, p=probabilities)",
        "size=count)",
        ("validation/test_toy_leagues.py::test_games_are_logged_as_often_as_they_were_drawn_for",),
    ),
    Mutant(
        "no entropy bonus",
        "bench/toy_games.py",
        "- self.entropy * np.log",
        "- 0.0 * np.log",
        ("validation/test_toy_leagues.py::test_the_mix_with_entropy_settles",),
    ),
)


def make_copy(folder: Path) -> None:
    """Copy `league` and its tests to `folder`, and link to the rest."""
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    shutil.copytree(ROOT / "league", folder / "league", ignore=ignored)
    shutil.copytree(ROOT / "tests" / "league", folder / "tests" / "league", ignore=ignored)
    shutil.copy(ROOT / "tests" / "__init__.py", folder / "tests")
    for path in (*(ROOT / name for name in LINKED), *ROOT.glob("*.so")):
        (folder / path.name).symlink_to(path)


def run_tests(folder: Path, tests: tuple[str, ...]) -> tuple[int, list[str]]:
    """Run tests of a copy; return pytest's exit code and the tests that failed."""
    paths = [f"tests/league/{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return done.returncode, [name.removeprefix("tests/league/") for name in failed]


def break_copy(folder: Path, mutant: Mutant) -> str:
    """Put a fault into the copy; return the text that was there.

    Raises:
        ValueError: The text to replace does not occur exactly once.
    """
    path = folder / "league" / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(
            f"expected {mutant.old!r} once in {mutant.file}, found it {text.count(mutant.old)} "
            f"times; adapt the mutant {mutant.fault!r} to the source"
        )
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return text


def hunt(mutants: tuple[Mutant, ...]) -> list[str]:
    """Print what catches each mutant; return the faults that survive."""
    survivors = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_copy(folder)
        tests = tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
        code, failed = run_tests(folder, tests)
        if code != 0:
            print(f"the tests fail without any fault: {failed or code}")
            return ["none"]
        for mutant in mutants:
            start = time.monotonic()
            original = break_copy(folder, mutant)
            code, failed = run_tests(folder, mutant.tests)
            (folder / "league" / mutant.file).write_text(original, encoding="utf-8")
            caught = failed[0] if failed else "SURVIVED" if code == 0 else f"exit code {code}"
            if not failed:
                survivors.append(mutant.fault)
            print(f"{mutant.fault}: {caught} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} faults caught")
    return survivors


def main(arguments: list[str]) -> int:
    """Hunt the mutants whose fault contains the first argument; return the exit code."""
    text = arguments[0] if arguments else ""
    chosen = tuple(mutant for mutant in MUTANTS if text in mutant.fault)
    if not chosen:
        print(f"expected a part of a fault, got {text!r}; have:")
        print(*(mutant.fault for mutant in MUTANTS), sep="\n")
        return 2
    return 1 if hunt(chosen) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
