"""The ledger pays exactly what single frames earn, on the reference game."""

from __future__ import annotations

import numpy as np
import pytest

from envs.actions import BUTTON_ACTIONS
from envs.game.layout import EMPTY, FIELD_BASES, Button, Speed, Tile
from envs.game.outcome import Outcome, detect_outcome
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup
from envs.ledger import Ledger
from envs.reward import TERM_NAMES, RewardConfig, reward_terms

CONFIG = RewardConfig(
    virus=0.01,
    line=0.02,
    garbage_sent=0.03,
    height=0.001,
    clear_win=0.05,
    top_out=-0.04,
    per_frame=-0.0001,
)


def build_double_line(game: ReferenceGame, seat: int) -> None:
    """Stand three halves of its colour under each half of the falling capsule."""
    first, second = game.state().players[seat].colours
    assert first != second
    cells = {FIELD_BASES[seat] + cell: EMPTY for cell in range(128)}
    for row in (13, 14, 15):
        cells[FIELD_BASES[seat] + row * 8 + 3] = Tile.SINGLE | first
        cells[FIELD_BASES[seat] + row * 8 + 4] = Tile.SINGLE | second
    game.set_ram(cells)


def play(
    config: RewardConfig, seed: int, frames_per_step: int
) -> tuple[Ledger, list[dict[str, float]], list[dict[str, float]], Outcome | None]:
    """Play to the end; return the ledger, its sums, the sums frame by frame, and the outcome."""
    rng = np.random.default_rng(seed)
    game = ReferenceGame.from_setup(RoundSetup(speeds=(Speed.HI, Speed.HI), rng_word=0x2ACA))
    build_double_line(game, seed % 2)
    ledger = Ledger(config, solo=False)
    ledger.start_round(game.ram())
    paid = [dict.fromkeys(TERM_NAMES, 0.0) for _ in range(2)]
    expected = [dict.fromkeys(TERM_NAMES, 0.0) for _ in range(2)]
    before, outcome, frame = game.state(), None, 0
    while outcome is None:
        # The first capsule goes straight down on the two lines.
        pads = tuple(
            Button.DOWN if frame < 60 else BUTTON_ACTIONS[i] for i in rng.integers(12, size=2)
        )
        game.step((int(pads[0]), int(pads[1])))
        after, frame = game.state(), frame + 1
        outcome = ledger.add_frame(game.ram())
        assert outcome == detect_outcome(before, after, solo=False)
        add(expected, reward_terms(before, after, outcome, config))
        if outcome is not None or frame % frames_per_step == 0:
            add(paid, ledger.take_earned())
        before = after
    return ledger, paid, expected, outcome


def add(sums: list[dict[str, float]], terms: tuple[dict[str, float], dict[str, float]]) -> None:
    for total, earned in zip(sums, terms, strict=True):
        for name, value in earned.items():
            total[name] += value


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("frames_per_step", [1, 7])
def test_sums_are_those_of_single_frames(seed: int, frames_per_step: int) -> None:
    ledger, paid, expected, outcome = play(CONFIG, seed, frames_per_step)
    for seat in range(2):
        assert paid[seat] == pytest.approx(expected[seat])
    assert outcome is not None
    assert expected[seed % 2]["garbage_sent"] > 0, "the game had garbage in it"
    assert ledger.totals[seed % 2].garbage_sent >= 2
    assert ledger.totals[seed % 2].lines >= 2


def test_height_is_not_looked_at_when_it_pays_nothing() -> None:
    config = RewardConfig(line=0.02)
    _, paid, expected, _ = play(config, seed=0, frames_per_step=3)
    assert paid[0] == pytest.approx(expected[0])
    assert paid[0]["height"] == 0


def test_round_that_goes_on_starts_from_its_own_first_frame() -> None:
    first = ReferenceGame.from_setup(RoundSetup(levels=(1, 1)))
    second = ReferenceGame.from_setup(RoundSetup(levels=(0, 5)))
    ledger = Ledger(CONFIG, solo=False)
    ledger.start_round(first.ram())
    ledger.start_round(second.ram())
    assert ledger.viruses == (4, 24)
    second.step((0, 0))
    assert ledger.add_frame(second.ram()) is None
    terms, _ = ledger.take_earned()
    assert terms["virus"] == 0, "the change of boards is no play"


def test_capsules_are_counted_when_they_lock() -> None:
    game = ReferenceGame.from_setup(RoundSetup(speeds=(Speed.HI, Speed.HI)))
    ledger = Ledger(CONFIG, solo=False)
    ledger.start_round(game.ram())
    locked = 0
    before = game.state()
    for _ in range(300):
        game.step((Button.DOWN, 0))
        ledger.add_frame(game.ram())
        after = game.state()
        locked += before.players[0].can_act and not after.players[0].can_act
        before = after
    assert ledger.totals[0].capsules == locked > 2
