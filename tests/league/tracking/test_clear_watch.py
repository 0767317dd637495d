"""When training first cleared solo rounds."""

from __future__ import annotations

from pathlib import Path

from league.tracking.clear_watch import LEVEL, WINDOW, ClearWatch
from league.tracking.play_facts import SeatPlay
from league.training.report import TrainingGame


def make_game(
    *, cleared: bool, solo: bool = True, level: int = LEVEL, thinned: bool = False
) -> TrainingGame:
    return TrainingGame(
        opponent="inert",
        main_seat=0,
        rng_word=2,
        main_return=0.0,
        winner_seat=0 if cleared else 1,
        end_reason="clear" if cleared else "top_out",
        frames=100,
        capsules=1,
        viruses=1,
        lines=1,
        garbage_sent=0,
        level=level,
        thinned=thinned,
        play=SeatPlay(frames=100, capsules=(1, 0, 0), viruses=(1, 0, 0), volleys=0, solo=solo),
    )


def test_the_first_time_counts_and_is_kept(tmp_path: Path) -> None:
    watch = ClearWatch(tmp_path / "clears.json")
    watch.add([make_game(cleared=False)] * WINDOW, 100, 1.0)
    watch.add([make_game(cleared=True)] * (WINDOW * 4 // 5 - 1), 200, 2.0)
    assert watch.found is None
    watch.add([make_game(cleared=True)], 300, 3.0)
    watch.add([make_game(cleared=True)], 400, 4.0)
    again = ClearWatch(tmp_path / "clears.json").found
    assert again is not None
    assert (again.env_steps, again.seconds) == (300, 3.0)
    assert "300 decisions" in again.describe()


def test_other_games_do_not_count(tmp_path: Path) -> None:
    watch = ClearWatch(tmp_path / "clears.json")
    for game in (
        make_game(cleared=True, solo=False),
        make_game(cleared=True, level=LEVEL - 1),
        make_game(cleared=True, thinned=True),
    ):
        watch.add([game] * WINDOW, 100, 1.0)
    assert watch.found is None
