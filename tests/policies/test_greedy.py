"""`greedy`: where it wants a capsule, and how it steers it there."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from envs.actions import BUTTON_ACTIONS
from envs.backends.reference import ReferenceBackend
from envs.game.layout import COLUMNS, EMPTY, ROWS, Button, Mode, NextAction
from envs.game.position import parse_bottle
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup, fill_reserve, place_viruses, seed_to_word
from envs.game.state import GameState
from envs.observation import decode_compact, encode_compact
from policies.drops import Drop, place_capsule, settle_bottle
from policies.greedy import GreedyPolicy, choose_drop, steer_capsule
from policies.rollout import Game, play_games
from policies.scoring import ANCHOR_WEIGHTS
from policies.scripted import NoopPolicy
from tests.policies.positions import make_position

RNG = np.random.default_rng(0)
SLOW, TAP = 20, 2
"""Frames per row at MED, and per tap of a policy that decides in every frame."""


def best_drop(bottle: str, colours: tuple[int, int], frames_per_tap: int = TAP) -> Drop:
    return choose_drop(parse_bottle(bottle), colours, SLOW, frames_per_tap, ANCHOR_WEIGHTS)


def act(position: GameState, policy: GreedyPolicy | None = None) -> Button:
    actions, _ = (policy or GreedyPolicy()).act([position], None, None, RNG)
    return BUTTON_ACTIONS[int(actions[0])]


@pytest.mark.parametrize("colours", [(1, 1), (1, 0), (0, 1)])
def test_completes_a_line_through_a_virus(colours: tuple[int, int]) -> None:
    bottle = "8/" * 13 + "6r1/6r1/Y5R1"
    drop = best_drop(bottle, colours)
    assert settle_bottle(place_capsule(parse_bottle(bottle), drop, colours)).viruses == 1


def test_does_not_aim_across_a_wall_that_it_cannot_pass() -> None:
    # The best place by far is column 7, behind a column 5 that reaches the top.
    below = "5b1r/Y4y1r/5b1R"
    assert best_drop("8/" * 13 + below, (1, 1)).column >= 6
    assert best_drop("5b2/" * 3 + "5y2/" * 10 + below, (1, 1)).column < 5


@pytest.mark.parametrize(("frames_per_tap", "reaches"), [(2, True), (20, False)])
def test_slow_taps_sink_on_the_way(frames_per_tap: int, reaches: bool) -> None:
    # Column 6 reaches the third row: at two rows per tap a capsule does not get past it.
    bottle = "8/8/" + "6b1/6y1/" * 5 + "6br/6yr/6br/Y5yR"
    drop = best_drop(bottle, (1, 1), frames_per_tap)
    assert (drop.column == 7) is reaches


@pytest.mark.parametrize(
    ("x", "rotation", "held", "target", "pad"),
    [
        (3, 0, 0, Drop(0, 1, 15), Button.LEFT),
        (3, 0, 0, Drop(0, 5, 15), Button.RIGHT),
        (3, 0, Button.LEFT, Drop(0, 1, 15), 0),
        (3, 0, 0, Drop(1, 3, 15), Button.B),
        (3, 0, 0, Drop(3, 3, 15), Button.A),
        (3, 0, 0, Drop(2, 3, 15), Button.B),
        (3, 0, Button.B, Drop(1, 3, 15), 0),
        (3, 0, 0, Drop(3, 0, 15), Button.A | Button.LEFT),
        (3, 0, Button.LEFT, Drop(1, 0, 15), Button.B),
        (3, 1, 0, Drop(2, 0, 15), Button.B),
        (3, 1, 0, Drop(2, 5, 15), Button.B | Button.RIGHT),
        (3, 0, Button.DOWN, Drop(0, 3, 15), Button.DOWN),
    ],
)
def test_steering(x: int, rotation: int, held: int, target: Drop, pad: int) -> None:
    player = make_position(x=x, rotation=rotation, held=held).players[0]
    assert steer_capsule(player, target) == pad


def test_presses_nothing_without_a_falling_capsule() -> None:
    assert act(make_position(next_action=NextAction.PLACED)) == 0


def test_presses_nothing_outside_of_a_round() -> None:
    start = make_position()
    after_round = GameState(start.players, Mode.TOP_OUT, 0, 0, 0, 0, False)
    assert act(after_round) == 0


def test_acts_on_each_row_of_a_batch() -> None:
    positions = [make_position(x=x, held=0) for x in (0, 3, 6)]
    actions, state = GreedyPolicy().act(positions, None, None, RNG)
    assert actions.dtype == np.int64
    assert state is None
    assert [BUTTON_ACTIONS[action] for action in actions] == [act(one) for one in positions]


@pytest.mark.parametrize("seat", [0, 1])
def test_sees_the_same_in_a_compact_observation(seat: int) -> None:
    game = ReferenceGame.from_setup(RoundSetup(levels=(3, 7), rng_word=seed_to_word(9)))
    for _ in range(400):
        state = game.state()
        own_first = state.swapped() if seat else state
        pad = act(own_first)
        assert act(decode_compact(encode_compact(state, seat))) == pad
        game.step((0, int(pad)) if seat else (int(pad), 0))


def test_capsules_land_where_they_were_aimed() -> None:
    """The target never moves during a fall, and the pads bring the capsule there."""
    game = ReferenceGame.from_setup(RoundSetup(solo=True, levels=(4, 0), rng_word=seed_to_word(3)))
    landed = 0
    target = None
    while landed < 25:
        state = game.state()
        player = state.players[0]
        assert not player.topped_out
        if player.can_act:
            aim = choose_drop(player.cells, player.colours, SLOW, TAP, ANCHOR_WEIGHTS)
            target = target or aim
            assert aim == target
        elif target is not None:
            assert (player.rotation, player.x, ROWS - 1 - player.y) == (
                target.rotation,
                target.column,
                target.row,
            )
            target = None
            landed += 1
        game.step((int(act(state)), 0))


@pytest.mark.parametrize("action_repeat", [1, 4, 12])
def test_clears_solo_rounds_at_any_action_repeat(action_repeat: int) -> None:
    policy = GreedyPolicy(action_repeat)
    games = [
        Game(
            RoundSetup(solo=True, rng_word=seed_to_word(seed)),
            (policy, NoopPolicy()),
            (RNG, RNG),
        )
        for seed in range(12)
    ]
    records = play_games(games, [ReferenceBackend(rendering=False)])
    assert sum(record.reason == "clear" for record in records) >= 10


def test_decisions_of_the_anchor_are_frozen() -> None:
    # Published ratings hang on these decisions: give another heuristic another name.
    chosen = []
    for seed in range(5):
        reserve, word = fill_reserve(seed_to_word(seed))
        cells = place_viruses((5 * seed, 5 * seed), word).fields[0].tobytes()
        for capsule in reserve[:20]:
            if EMPTY not in cells[:COLUMNS]:
                break
            colours = divmod(int(capsule), 3)
            drop = choose_drop(cells, colours, SLOW, TAP, ANCHOR_WEIGHTS)
            chosen.append((drop.rotation, drop.column, drop.row))
            cells = settle_bottle(place_capsule(cells, drop, colours)).bottle
    assert hashlib.sha256(repr(chosen).encode()).hexdigest()[:16] == "fac5f726bf5a5862"


@pytest.mark.parametrize(("action_repeat", "name"), [(1, "greedy"), (4, "greedy:action_repeat=4")])
def test_name_tells_the_parameters(action_repeat: int, name: str) -> None:
    policy = GreedyPolicy(action_repeat)
    assert (policy.name, policy.view.action_repeat) == (name, action_repeat)
    assert policy.deterministic
