"""Play statistics and alarms: plain sums over plain records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from envs.game.layout import FRAME_RATE
from league.tracking.alarms import EVEN_RATIO, PATIENCE, Watch
from league.tracking.metrics import check_names
from league.tracking.play_facts import Choices, SeatPlay, count_choices, find_phase, merge_choices
from league.tracking.play_metrics import list_choice_metrics, list_game_metrics, list_rates
from league.training.report import TrainingGame
from league.training.roster import MAIN

MINUTE = round(60 * FRAME_RATE)
GAME = TrainingGame(
    opponent="greedy",
    main_seat=0,
    rng_word=0x1234,
    main_return=0.5,
    winner_seat=0,
    end_reason="clear",
    frames=MINUTE,
    capsules=50,
    viruses=20,
    lines=24,
    garbage_sent=6,
)
PLAY = SeatPlay(frames=MINUTE, capsules=(20, 20, 10), viruses=(10, 8, 2), volleys=3)
CHOICES = Choices(100, 80, 12.5, 1.0, 0.5, equal_masks=False)


def test_phases_end_with_32_and_8_viruses_left() -> None:
    assert find_phase([84, 33, 32, 9, 8, 1]).tolist() == [0, 0, 1, 1, 2, 2]


def test_rates_are_those_of_one_long_game() -> None:
    long = SeatPlay(frames=3 * MINUTE, capsules=(0, 30, 0), viruses=(0, 10, 0), volleys=1)
    rates = list_rates([PLAY, long])
    assert rates == pytest.approx(
        {
            "play/viruses_per_minute": 30 / 4,
            "play/volleys_per_minute": 4 / 4,
            "play/capsules_per_virus": 80 / 30,
            "play/capsules_per_virus_above_32": 2.0,
            "play/capsules_per_virus_9_to_32": 50 / 18,
            "play/capsules_per_virus_up_to_8": 5.0,
        },
        rel=1e-3,
    )


def test_solo_games_have_no_volleys_and_what_was_not_cleared_has_no_ratio() -> None:
    solo = SeatPlay(frames=MINUTE, capsules=(4, 0, 0), viruses=(0, 0, 0), volleys=9, solo=True)
    assert list_rates([solo]) == {"play/viruses_per_minute": 0.0}
    assert list_rates([]) == {}


def test_games_are_counted_by_how_they_end() -> None:
    games = [
        GAME,
        replace(GAME, winner_seat=0, end_reason="top_out"),
        replace(GAME, winner_seat=1, end_reason="top_out"),
        replace(GAME, winner_seat=1, end_reason="clear"),
        replace(GAME, winner_seat=None, end_reason="both_top_out"),
        replace(GAME, winner_seat=None, end_reason="frame_limit"),
        replace(GAME, opponent=MAIN),
        replace(GAME, opponent="random", main_seat=1, winner_seat=1),
    ]
    metrics = list_game_metrics(games)
    check_names(metrics)
    assert metrics["play/games"] == 8
    assert metrics["play/clears"] == 3
    assert metrics["play/clear_win_share"] == 3 / 4
    assert metrics["play/clear_share"] == 4 / 6
    assert metrics["play/top_out_share"] == 2 / 8
    assert metrics["play/stall_share"] == 1 / 8
    # Not the game against itself, and not the one without a result.
    assert metrics["play/score"] == 3.5 / 6
    assert metrics["opponents/greedy"] == 6 / 8
    assert metrics["opponents/main"] == metrics["opponents/random"] == 1 / 8
    assert "play/viruses_per_minute" not in metrics
    assert list_game_metrics([]) == {}


def test_solo_games_are_counted_apart_by_level() -> None:
    alone = replace(GAME, opponent="inert", play=replace(PLAY, solo=True), level=5)
    games = [
        alone,
        replace(alone, winner_seat=None, end_reason="frame_limit"),
        replace(alone, level=10, winner_seat=1, end_reason="top_out"),
        replace(alone, level=10, thinned=True),
        replace(GAME, winner_seat=1),
    ]
    metrics = list_game_metrics(games)
    check_names(metrics)
    assert metrics["solo/clear_share"] == 2 / 4
    assert metrics["solo/clear_share_by_level/5"] == 1 / 2
    assert metrics["solo/clear_share_by_level/10"] == 0.0
    assert metrics["play/score"] == 0.0


def test_choices_are_measured_by_what_was_legal() -> None:
    legal = np.array([1, 4, 8])
    even = np.log(legal)
    measured = count_choices(even, legal)
    assert measured.entropy_ratio == pytest.approx(1.0)
    assert (measured.decisions, measured.free_decisions) == (3, 2)
    assert measured.legal_choices == pytest.approx(13 / 3)
    half = count_choices(np.array([0.0, np.log(4) / 2]), np.array([1, 4]))
    assert half.entropy_ratio == pytest.approx(0.5)
    both = merge_choices([measured, half])
    assert both is not None
    assert both.entropy_ratio == pytest.approx((2 * 1.0 + 0.5) / 3)
    assert both.legal_choices == pytest.approx(18 / 5)
    metrics = list_choice_metrics(both)
    check_names(metrics)
    assert metrics["policy/entropy_ratio"] == both.entropy_ratio


def test_forced_choices_have_no_entropy_ratio() -> None:
    forced = count_choices(np.zeros(3), np.ones(3, np.int64))
    assert forced.entropy_ratio == 0.0
    assert "policy/entropy_ratio" not in list_choice_metrics(forced)
    assert merge_choices([]) is None


@pytest.mark.parametrize(
    ("entropies", "legal"),
    [(np.zeros(2), np.ones(3, np.int64)), (np.zeros(1), np.zeros(1, np.int64))],
)
def test_impossible_choices_are_refused(entropies: np.ndarray, legal: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected one entropy"):
        count_choices(entropies, legal)


def watch(metrics: dict[str, float], iterations: int, first: Watch | None = None) -> set[str]:
    """Return the alarms after some iterations with the same metrics."""
    state = first or Watch()
    for _ in range(iterations):
        state = state.add(metrics)
    return set(state.list_alarms())


def test_dead_training_is_told_after_a_while() -> None:
    even = {"policy/entropy_ratio": EVEN_RATIO + 0.005, "play/clears": 3.0}
    assert watch(even, PATIENCE - 1) == set()
    assert watch(even, PATIENCE) == {"alarm/entropy"}
    never = {"policy/entropy_ratio": 0.6, "play/clears": 0.0}
    assert watch(never, PATIENCE - 1) == set()
    assert watch(never, PATIENCE) == {"alarm/no_clears"}
    assert watch({"policy/equal_masks": 1.0}, 1) == {"alarm/equal_masks"}
    check_names({"alarm/entropy", "alarm/no_clears", "alarm/equal_masks"})


def test_living_training_ends_an_alarm() -> None:
    dead = {"policy/entropy_ratio": 1.0, "play/clears": 0.0, "policy/equal_masks": 1.0}
    state = Watch()
    for _ in range(PATIENCE):
        state = state.add(dead)
    # Iterations that only rate change nothing.
    state = state.add({"league/elo": 1000.0})
    assert len(state.list_alarms()) == 3
    alive = {"policy/entropy_ratio": 0.9, "play/clears": 1.0, "policy/equal_masks": 0.0}
    assert watch(alive, 1, state) == set()


def test_warnings_say_what_to_do() -> None:
    for text in Watch(even=10, without_clear=12, equal_masks=True).list_alarms().values():
        assert "; " in text
    assert "12 iterations" in Watch(without_clear=12).list_alarms()["alarm/no_clears"]
