"""Playing the versus environment: rewards, ends, sets, seats and the options of reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.actions import BUTTON_ACTIONS
from envs.backends.base import BackendError
from envs.backends.retro import RetroBackend
from envs.drmario_versus_v0 import parallel_env
from envs.game.layout import (
    EMPTY,
    FIELD_BASES,
    RESERVE_BASE,
    Address,
    Button,
    PlayerOffset,
    Speed,
    Tile,
    player_address,
)
from envs.game.outcome import detect_outcome
from envs.game.position import parse_position
from envs.game.setup import BOOT_WORD, RoundSetup, fill_reserve, seed_to_word
from envs.game.state import GameState
from envs.observation import decode_compact
from envs.reward import TERM_NAMES, RewardConfig, reward_terms
from tests.envs.conftest import MakeEnv

pytestmark = pytest.mark.emulator

AGENTS = ("player_0", "player_1")
NOOP, LEFT, RIGHT, DOWN = range(4)
REWARD = RewardConfig(
    virus=0.01,
    line=0.02,
    garbage_sent=0.03,
    height=0.001,
    clear_win=0.05,
    top_out=-0.04,
    per_frame=-0.0001,
)


def both(first: int, second: int) -> dict[str, int]:
    return {"player_0": first, "player_1": second}


def retro_of(env: parallel_env) -> RetroBackend:
    assert isinstance(env.backend, RetroBackend)
    return env.backend


def ready_to_clear(backend: RetroBackend, seat: int) -> None:
    """Leave `seat` three viruses under its falling capsule's first half, and nothing else."""
    colour = GameState.from_ram(backend.ram()).players[seat].colours[0]
    for cell in range(128):
        backend.poke(FIELD_BASES[seat] + cell, EMPTY)
    for row in (13, 14, 15):
        backend.poke(FIELD_BASES[seat] + row * 8 + 3, Tile.VIRUS | colour)
    backend.poke(player_address(seat, PlayerOffset.VIRUSES), 3)


def ready_to_top_out(backend: RetroBackend, seat: int) -> None:
    """Fill the row in which capsules of `seat` come in, under the falling one, with no line."""
    for cell in range(8, 16):
        backend.poke(FIELD_BASES[seat] + cell, Tile.SINGLE | cell % 2)
    for cell in range(8):
        backend.poke(FIELD_BASES[seat] + cell, Tile.SINGLE | (cell + 1) % 2)


def play_to_end(env: parallel_env, actions: dict[str, int]) -> tuple[Any, ...]:
    """Repeat `actions` until the episode ends; return its last step and the summed rewards."""
    total = dict.fromkeys(AGENTS, 0.0)
    for _ in range(3000):
        result = env.step(actions)
        for agent, reward in result[1].items():
            total[agent] += reward
        if not env.agents:
            return (*result, total)
    pytest.fail("the episode did not end")


def test_reset_returns_the_first_frame_on_which_both_can_act(make_env: MakeEnv) -> None:
    env = make_env(level=(4, 9), speed=("LOW", "HI"))
    observations, infos = env.reset(seed=11)
    own, opponent = decode_compact(observations["player_0"]).players
    assert (own.level, opponent.level) == (4, 9)
    assert (own.speed, opponent.speed) == (Speed.LOW, Speed.HI)
    assert (own.viruses, opponent.viruses) == (20, 40)
    assert own.can_act
    assert opponent.can_act
    assert infos["player_0"]["frames"] == 0
    assert not any(infos["player_0"]["reward_terms"].values())
    env.step(both(LEFT, RIGHT))
    state = GameState.from_ram(retro_of(env).ram())
    assert (state.players[0].x, state.players[1].x) == (2, 4)


def test_each_seat_sees_its_own_bottle_first(make_env: MakeEnv) -> None:
    env = make_env(level=(4, 9))
    observations, _ = env.reset(seed=11)
    left, right = (decode_compact(observations[agent]) for agent in AGENTS)
    assert left.players == (right.players[1], right.players[0])
    assert left.players[0].level == 4
    assert right.players[0].level == 9


def test_seed_names_the_set_up(make_env: MakeEnv) -> None:
    env = make_env()
    for seed in (0, 5, 32766):
        env.reset(seed=seed)
        reserve = retro_of(env).ram()[RESERVE_BASE:]
        np.testing.assert_array_equal(reserve, fill_reserve(seed_to_word(seed))[0])


def test_every_action_presses_its_buttons_and_nothing_else(make_env: MakeEnv) -> None:
    env = make_env()
    env.reset(seed=0)
    for action, buttons in enumerate(BUTTON_ACTIONS):
        assert not buttons & (Button.START | Button.SELECT)
        env.step(both(action, 11 - action))
        ram = retro_of(env).ram()
        assert ram[Address.PAD1_HELD] == buttons
        assert ram[Address.PAD2_HELD] == BUTTON_ACTIONS[11 - action]


def test_action_repeat_holds_and_pays_the_sum_of_its_frames(make_env: MakeEnv) -> None:
    actions = np.random.default_rng(0).integers(12, size=(120, 2))
    single, repeated = make_env(reward=REWARD), make_env(reward=REWARD, action_repeat=5)
    single.reset(seed=2)
    ready_to_clear(retro_of(single), 1)
    sums, images = [], []
    for first, second in actions:
        total = dict.fromkeys(AGENTS, 0.0)
        for _ in range(5):
            if single.agents:
                _, rewards, *_ = single.step(both(first, second))
                total = {agent: total[agent] + rewards[agent] for agent in AGENTS}
        sums.append(total)
        images.append(retro_of(single).ram())
        if not single.agents:
            break
    single.close()
    repeated.reset(seed=2)
    ready_to_clear(retro_of(repeated), 1)
    for (first, second), total, image in zip(actions, sums, images, strict=False):
        _, rewards, *_ = repeated.step(both(first, second))
        assert rewards == pytest.approx(total)
        np.testing.assert_array_equal(retro_of(repeated).ram(), image)


def test_rewards_are_the_terms_of_every_single_frame(make_env: MakeEnv) -> None:
    env = make_env(reward=REWARD, level=(0, 2), speed="HI")
    rng = np.random.default_rng(5)
    seen: set[str] = set()
    for seed in range(3):
        env.reset(seed=seed)
        ready_to_clear(retro_of(env), seed % 2)
        before = GameState.from_ram(retro_of(env).ram())
        # The env was told of the pokes by nobody: one frame brings it up to date.
        env.step(both(NOOP, NOOP))
        before = GameState.from_ram(retro_of(env).ram())
        while env.agents:
            _, rewards, _, _, infos = env.step(both(*(int(a) for a in rng.integers(12, size=2))))
            after = GameState.from_ram(retro_of(env).ram())
            outcome = detect_outcome(before, after, solo=False)
            expected = reward_terms(before, after, outcome, REWARD)
            for agent, terms in zip(AGENTS, expected, strict=True):
                assert infos[agent]["reward_terms"] == pytest.approx(terms)
                assert rewards[agent] == pytest.approx(sum(terms.values()))
                seen |= {name for name, value in terms.items() if value}
            before = after
    assert {"win", "loss", "virus", "line", "height", "per_frame"} <= seen


@pytest.mark.parametrize("seat", [0, 1])
def test_clear_ends_the_episode(make_env: MakeEnv, seat: int) -> None:
    env = make_env(reward=REWARD)
    env.reset(seed=0)
    ready_to_clear(retro_of(env), seat)
    actions = [NOOP, NOOP]
    actions[seat] = DOWN
    _, _, terminations, truncations, infos, total = play_to_end(env, both(*actions))
    assert terminations == dict.fromkeys(AGENTS, True)
    assert truncations == dict.fromkeys(AGENTS, False)
    for agent in AGENTS:
        assert infos[agent]["end_reason"] == "clear"
        assert infos[agent]["winner"] == AGENTS[seat]
    terms = infos[AGENTS[seat]]["reward_terms"]
    assert tuple(terms) == TERM_NAMES
    assert (terms["win"], terms["clear_win"], terms["virus"]) == pytest.approx((1, 0.05, 0.03))
    assert infos[AGENTS[1 - seat]]["reward_terms"]["loss"] == -1
    assert total[AGENTS[seat]] > 1
    assert infos[AGENTS[seat]]["viruses"] == 0
    assert infos[AGENTS[seat]]["lines"] == 1


@pytest.mark.parametrize("seat", [0, 1])
def test_top_out_ends_the_episode(make_env: MakeEnv, seat: int) -> None:
    env = make_env(reward=REWARD)
    env.reset(seed=0)
    ready_to_top_out(retro_of(env), seat)
    *_, infos, _ = play_to_end(env, both(NOOP, NOOP))
    assert infos["player_0"]["end_reason"] == "top_out"
    assert infos["player_0"]["winner"] == AGENTS[1 - seat]
    loser = infos[AGENTS[seat]]["reward_terms"]
    assert (loser["loss"], loser["top_out"]) == (-1, -0.04)
    assert infos[AGENTS[1 - seat]]["reward_terms"]["win"] == 1


@pytest.mark.parametrize(
    ("prepare", "reason"), [(ready_to_clear, "both_clear"), (ready_to_top_out, "both_top_out")]
)
def test_draws(make_env: MakeEnv, prepare: Any, reason: str) -> None:
    env = make_env()
    env.reset(seed=0)
    for seat in (0, 1):
        prepare(retro_of(env), seat)
    _, _, terminations, truncations, infos, _ = play_to_end(env, both(NOOP, NOOP))
    assert terminations == dict.fromkeys(AGENTS, True)
    assert not any(truncations.values())
    for agent in AGENTS:
        assert infos[agent]["end_reason"] == reason
        assert infos[agent]["winner"] is None
        terms = infos[agent]["reward_terms"]
        assert terms["win"] == terms["loss"] == 0


def test_frame_limit_truncates_both_seats(make_env: MakeEnv) -> None:
    env = make_env(max_frames=50, action_repeat=4)
    env.reset(seed=0)
    _, _, terminations, truncations, infos, _ = play_to_end(env, both(NOOP, NOOP))
    assert terminations == dict.fromkeys(AGENTS, False)
    assert truncations == dict.fromkeys(AGENTS, True)
    assert infos["player_0"]["end_reason"] == "frame_limit"
    assert infos["player_0"]["winner"] is None
    assert infos["player_0"]["frames"] == 50, "the last step is cut short"


def test_last_step_has_the_position_in_one_line(make_env: MakeEnv) -> None:
    env = make_env(max_frames=10)
    env.reset(seed=0)
    *_, infos, _ = play_to_end(env, both(LEFT, RIGHT))
    state = GameState.from_ram(retro_of(env).ram())
    assert parse_position(infos["player_0"]["position"]).players == state.players


def test_counts_of_lines_garbage_and_capsules(make_env: MakeEnv) -> None:
    env = make_env()
    env.reset(seed=0)
    backend = retro_of(env)
    first, second = GameState.from_ram(backend.ram()).players[0].colours
    # Under each half of the capsule stand three of its colour: two lines by one capsule.
    for cell in range(128):
        backend.poke(FIELD_BASES[0] + cell, EMPTY)
    for row in (13, 14, 15):
        backend.poke(FIELD_BASES[0] + row * 8 + 3, Tile.SINGLE | first)
        backend.poke(FIELD_BASES[0] + row * 8 + 4, Tile.SINGLE | second)
    assert first != second
    infos: dict[str, Any] = {}
    for _ in range(120):
        *_, infos = env.step(both(DOWN, NOOP))
    assert infos["player_0"]["lines"] == 2
    assert infos["player_0"]["garbage_sent"] == 2
    assert infos["player_0"]["capsules"] >= 1
    assert infos["player_1"]["lines"] == infos["player_1"]["garbage_sent"] == 0


def test_set_goes_on_to_three_crowns(make_env: MakeEnv) -> None:
    env = make_env(episode="set", reward=RewardConfig(virus=0.0))
    env.reset(seed=0)
    total = dict.fromkeys(AGENTS, 0.0)
    steps_with_result = []
    for _ in range(4):
        ready_to_clear(retro_of(env), 1)
        for _ in range(400):
            _, rewards, terminations, _, infos = env.step(both(NOOP, DOWN))
            total = {agent: total[agent] + rewards[agent] for agent in AGENTS}
            if any(rewards.values()):
                steps_with_result.append(infos["player_0"]["frames"])
                break
        state = GameState.from_ram(retro_of(env).ram())
        if terminations["player_0"]:
            break
        assert state.both_can_act(), "the step ends at the start of the next round"
        assert state.players[1].crowns == len(steps_with_result)
        assert "end_reason" not in infos["player_0"]
        assert infos["player_1"]["viruses"] == 4, "of the next round"
    assert len(steps_with_result) == 3
    assert total == {"player_0": -3.0, "player_1": 3.0}
    assert infos["player_0"]["winner"] == "player_1"
    assert infos["player_0"]["end_reason"] == "clear"
    # Waiting for START, set-up and intro are outside every step.
    assert infos["player_0"]["frames"] < 3 * 150


def test_solo_round_has_one_active_seat(make_env: MakeEnv) -> None:
    env = make_env(solo=True)
    env.reset(seed=0)
    ready_to_clear(retro_of(env), 0)
    *_, infos, _ = play_to_end(env, both(DOWN, DOWN))
    assert infos["player_0"]["winner"] == "player_0"
    assert infos["player_1"]["capsules"] == 0


def test_options_override_the_arguments_for_one_episode(make_env: MakeEnv) -> None:
    env = make_env(level=1)
    observations, _ = env.reset(seed=0, options={"levels": (2, 7), "speeds": "HI", "solo": True})
    own, opponent = decode_compact(observations["player_0"]).players
    assert (own.level, opponent.level) == (2, 7)
    assert own.speed == Speed.HI
    assert retro_of(env).solo
    observations, _ = env.reset(seed=0)
    assert decode_compact(observations["player_0"]).players[0].level == 1
    assert not retro_of(env).solo


@pytest.mark.parametrize(
    ("seed", "options", "word"),
    [
        (None, {"rng_word": 0x2ACA}, 0x2ACA),
        (9, {"rng_word": 0x2ACA}, 0x2ACA),
        (9, {"randomize_rng": False}, seed_to_word(9)),
        (None, {"randomize_rng": False}, BOOT_WORD),
        (
            None,
            {"rng_word": BOOT_WORD, "frame_offset": 300},
            RoundSetup(rng_word=BOOT_WORD, frame_offset=300).entry_word,
        ),
    ],
)
def test_options_of_the_rng(
    make_env: MakeEnv, seed: int | None, options: dict[str, Any], word: int
) -> None:
    env = make_env()
    env.reset(seed=seed, options=options)
    np.testing.assert_array_equal(retro_of(env).ram()[RESERVE_BASE:], fill_reserve(word)[0])


def test_randomize_rng_draws_from_the_stream_of_the_seed(make_env: MakeEnv) -> None:
    env = make_env()
    words = []
    for seed in (9, 9, 10):
        env.reset(seed=seed, options={"randomize_rng": True})
        words.append(retro_of(env).ram()[RESERVE_BASE:].tobytes())
    assert words[0] == words[1] != words[2]
    assert words[0] != fill_reserve(seed_to_word(9))[0].tobytes()


@pytest.mark.parametrize("as_file", [True, False])
def test_savestate_continues_exactly_there(
    make_env: MakeEnv, tmp_path: Path, as_file: bool
) -> None:
    env = make_env()
    env.reset(seed=4)
    for _ in range(33):
        env.step(both(LEFT, DOWN))
    saved = retro_of(env).save()
    expected = retro_of(env).ram()
    option: Any = saved
    if as_file:
        option = tmp_path / "middle.state"
        option.write_bytes(saved)
    env.reset(seed=8)
    _, infos = env.reset(options={"savestate": option})
    np.testing.assert_array_equal(retro_of(env).ram(), expected)
    assert infos["player_0"]["frames"] == 0


def test_only_the_placeholder_key_is_ignored(make_env: MakeEnv) -> None:
    env = make_env()
    env.reset(seed=0, options={"options": 1})
    with pytest.raises(ValueError, match="did you mean 'levels'"):
        env.reset(options={"level": 3})


@pytest.mark.parametrize(
    "actions",
    [{"player_0": 0}, {}, {"player_0": 0, "player_1": 12}, {"player_0": -1, "player_1": 0}],
)
def test_bad_actions_are_refused(make_env: MakeEnv, actions: dict[str, int]) -> None:
    env = make_env()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="expected actions"):
        env.step(actions)


def test_step_needs_a_running_episode(make_env: MakeEnv) -> None:
    env = make_env(max_frames=1)
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(both(NOOP, NOOP))
    env.reset(seed=0)
    env.step(both(NOOP, NOOP))
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(both(NOOP, NOOP))


def test_second_live_environment_is_a_clear_error(make_env: MakeEnv) -> None:
    first, second = make_env(), make_env()
    first.reset(seed=0)
    with pytest.raises(BackendError, match="one per process"):
        second.reset(seed=0)
    first.close()
    second.reset(seed=0)


def test_backend_that_is_passed_in_stays_open(make_env: MakeEnv, user_data: Path) -> None:
    with RetroBackend() as backend:
        for level in (1, 2):
            env = make_env(backend=backend, level=level)
            env.reset(seed=0)
            env.close()
        assert GameState.from_ram(backend.ram()).players[0].level == 2


def test_backend_factory_is_called_at_the_first_reset(make_env: MakeEnv) -> None:
    env = make_env(backend=RetroBackend)
    assert env.backend is None
    env.reset(seed=0)
    assert isinstance(env.backend, RetroBackend)


def test_ram_observation_swaps_the_seats(make_env: MakeEnv) -> None:
    env = make_env(observation="ram", level=(1, 5))
    observations, _ = env.reset(seed=0)
    observations = env.step(both(LEFT, RIGHT))[0]
    state = GameState.from_ram(observations["player_0"])
    assert state == GameState.from_ram(retro_of(env).ram())
    assert GameState.from_ram(observations["player_1"]) == state.swapped()


def test_pixels_show_the_own_bottle_on_the_left(make_env: MakeEnv) -> None:
    env = make_env(observation="pixels", level=(1, 15))
    observations, _ = env.reset(seed=0)
    left, right = slice(24, 88), slice(152, 216)
    first, second = observations["player_0"], observations["player_1"]
    np.testing.assert_array_equal(first[:, left], second[:, right])
    np.testing.assert_array_equal(first[:, right], second[:, left])
    assert (first[:, left] != first[:, right]).any()
