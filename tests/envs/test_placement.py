"""Placements through the pads: who is due, what is played, what is counted, on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from envs.backends.base import Backend
from envs.backends.reference import ReferenceBackend
from envs.backends.retro import RetroBackend
from envs.backends.simulator import SimulatorBackend
from envs.candidates import NO_POSE, read_poses
from envs.drmario_versus_v0 import parallel_env
from envs.game.layout import FIELD_BASES, Button, NextAction, PlayerOffset, Speed, player_address
from envs.game.placement import NUM_PLACEMENTS, NUM_POSES, WAIT, decode_pose
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from envs.placement import PlacementControl
from envs.reward import RewardConfig
from envs.views import OBSERVATION_KINDS

AGENTS = ("player_0", "player_1")
REWARD = RewardConfig(
    virus=0.01,
    line=0.02,
    garbage_sent=0.03,
    height=0.001,
    clear_win=0.05,
    top_out=-0.04,
    per_frame=-0.0001,
)

OPENERS: dict[str, Callable[[], Backend]] = {
    "simulator": lambda: SimulatorBackend(rendering=False),
    "reference": lambda: ReferenceBackend(rendering=False),
    "retro": lambda: RetroBackend(rendering=False),
}


@pytest.fixture(
    params=["simulator", "reference", pytest.param("retro", marks=pytest.mark.emulator)]
)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    backend = OPENERS[request.param]()
    yield backend
    backend.close()


@pytest.fixture
def make_env() -> Iterator[Callable[..., parallel_env]]:
    made: list[parallel_env] = []

    def make(**arguments: Any) -> parallel_env:
        made.append(parallel_env(**{"backend": "simulator", "actions": "placement"} | arguments))
        return made[-1]

    yield make
    for env in made:
        env.close()


def draw(mask: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(mask)))


def draw_all(infos: dict[str, dict[str, Any]], rng: np.random.Generator) -> dict[str, int]:
    return {agent: draw(infos[agent]["action_mask"], rng) for agent in AGENTS}


class Watcher:
    """Plays random placements on a backend and checks where each capsule locks."""

    def __init__(self, backend: Backend, rng: np.random.Generator) -> None:
        self.backend, self.rng = backend, rng
        self.placed = 0

    def play_round(self, setup: RoundSetup, max_steps: int) -> None:
        self.backend.start_round(setup)
        control = PlacementControl((0,) if setup.solo else (0, 1))
        ram = self.backend.ram()
        control.start_round(ram)
        expected: list[bytes] = [b"", b""]
        for _ in range(max_steps):
            actions = [draw(mask, self.rng) for mask in control.masks]
            state = GameState.from_ram(ram)
            for seat in (0, 1):
                if control.due[seat]:
                    expected[seat] = locked_field(state, seat, actions[seat])
            control.choose((actions[0], actions[1]))
            while not control.is_over:
                before = ram
                self.backend.step(control.next_pads())
                ram = self.backend.ram()
                self.check_locks(before, ram, expected)
                if GameState.from_ram(ram).players[0].topped_out or self.is_over(ram):
                    return
                control.see(ram)

    def is_over(self, ram: np.ndarray) -> bool:
        state = GameState.from_ram(ram)
        return any(player.topped_out or not player.viruses for player in state.players)

    def check_locks(self, before: np.ndarray, ram: np.ndarray, expected: list[bytes]) -> None:
        for seat in (0, 1):
            action = player_address(seat, PlayerOffset.NEXT_ACTION)
            if before[action] == NextAction.FALLING != ram[action]:
                field = FIELD_BASES[seat]
                assert ram[field : field + 128].tobytes() == expected[seat]
                self.placed += 1


def make_setup(word: int) -> RoundSetup:
    """A round with levels and speeds that go with the word."""
    return RoundSetup(
        levels=(word % 21, 3 * word % 21),
        speeds=(Speed(word % 3), Speed((word + 1) % 3)),
        rng_word=word,
    )


def locked_field(state: GameState, seat: int, pose: int) -> bytes:
    """The bottle with the seat's capsule locked in `pose`."""
    player = state.players[seat]
    cells = bytearray(player.cells)
    for cell, tile in decode_pose(pose).cells(player.colours):
        cells[cell] = tile
    return bytes(cells)


def test_capsules_lock_where_planned(backend: Backend) -> None:
    watcher = Watcher(backend, np.random.default_rng(1))
    for word in range(4321, 4327):
        watcher.play_round(make_setup(word), max_steps=60)
    assert watcher.placed > 80


@pytest.mark.slow
@pytest.mark.emulator
def test_a_thousand_capsules_lock_where_planned_on_the_emulator() -> None:
    with RetroBackend(rendering=False) as retro:
        watcher, word = Watcher(retro, np.random.default_rng(2)), 2
        while watcher.placed < 1_000:
            word += 1
            watcher.play_round(make_setup(word), max_steps=400)


def test_all_backends_play_the_same_placements(make_env: Callable[..., parallel_env]) -> None:
    rng = np.random.default_rng(3)
    envs = [make_env(backend=name, level=5) for name in ("simulator", "reference")]
    for env in envs:
        env.reset(seed=17)
    infos = envs[0].reset(seed=17)[1]
    while envs[0].agents:
        actions = draw_all(infos, rng)
        results = [env.step(actions) for env in envs]
        infos = results[0][4]
        np.testing.assert_array_equal(envs[0].state(), envs[1].state())
        assert results[0][1] == results[1][1]


def test_a_step_lasts_until_a_seat_is_due(make_env: Callable[..., parallel_env]) -> None:
    env, rng = make_env(level=10), np.random.default_rng(4)
    _, infos = env.reset(seed=1)
    assert all(info["action_mask"][WAIT] == 0 for info in infos.values()), "both are due"
    waited = 0
    for _ in range(40):
        due = [infos[agent]["action_mask"][WAIT] == 0 for agent in AGENTS]
        assert any(due)
        waited += not all(due)
        frames = infos["player_0"]["frames"]
        _, _, _, _, infos = env.step(draw_all(infos, rng))
        assert infos["player_0"]["frames"] > frames
        if not env.agents:
            break
        for agent in AGENTS:
            mask = infos[agent]["action_mask"]
            assert mask.dtype == np.int8
            assert mask.shape == (NUM_PLACEMENTS,)
            assert mask.any()
    assert waited > 5


def test_illegal_and_ignored_actions_are_counted_and_never_raised(
    make_env: Callable[..., parallel_env],
) -> None:
    env = make_env(level=10)
    _, infos = env.reset(seed=1)
    legal = int(np.flatnonzero(infos["player_0"]["action_mask"])[0])
    illegal = int(np.flatnonzero(infos["player_1"]["action_mask"][:NUM_POSES] == 0)[0])
    _, _, _, _, infos = env.step({"player_0": legal, "player_1": illegal})
    assert infos["player_1"]["illegal_actions"] == 1
    assert infos["player_0"]["illegal_actions"] == 0
    # Player 2's capsule falls by gravity alone, so player 1 is due first; WAIT is illegal for it.
    assert infos["player_1"]["action_mask"][WAIT] == 1
    _, _, _, _, infos = env.step({"player_0": WAIT, "player_1": illegal})
    assert infos["player_0"]["illegal_actions"] == 1
    assert infos["player_1"]["ignored_actions"] == 1
    assert infos["player_1"]["illegal_actions"] == 1


def test_an_illegal_placement_is_played_as_no_input(make_env: Callable[..., parallel_env]) -> None:
    env = make_env(level=0, solo=True)
    _, infos = env.reset(seed=1)
    illegal = int(np.flatnonzero(infos["player_0"]["action_mask"] == 0)[0])
    buttons = make_env(level=0, solo=True, actions="buttons")
    buttons.reset(seed=1)
    env.step({"player_0": illegal, "player_1": WAIT})
    locked = can_act = False
    while not (locked and can_act):
        *_, infos = buttons.step(dict.fromkeys(AGENTS, 0))
        locked = infos["player_0"]["capsules"] == 1
        can_act = GameState.from_ram(ram_of(buttons)).players[0].can_act
    np.testing.assert_array_equal(env.state(), buttons.state())


def ram_of(env: parallel_env) -> np.ndarray:
    assert env.backend is not None
    return env.backend.ram()


def test_an_action_outside_the_space_is_refused(make_env: Callable[..., parallel_env]) -> None:
    env = make_env()
    env.reset(seed=1)
    for action in (-1, NUM_PLACEMENTS):
        with pytest.raises(ValueError, match=r"expected actions in 0\.\.512"):
            env.step({"player_0": action, "player_1": 0})


def test_placements_are_not_repeated(make_env: Callable[..., parallel_env]) -> None:
    with pytest.raises(ValueError, match="expected action_repeat 1 for actions='placement', got 4"):
        make_env(action_repeat=4)


class RecordingBackend(SimulatorBackend):
    """Keeps the pads and the RAM of every frame."""

    def __init__(self) -> None:
        super().__init__(rendering=False)
        self.pads: list[tuple[int, int]] = []
        self.images: list[np.ndarray] = []

    def step(self, pads: tuple[int, int]) -> None:
        super().step(pads)
        self.pads.append(pads)
        self.images.append(self.ram())


class ReplayBackend(SimulatorBackend):
    """Plays the pads of a list, whatever it is given."""

    def __init__(self, pads: list[tuple[int, int]]) -> None:
        super().__init__(rendering=False)
        self.pads = pads

    def step(self, pads: tuple[int, int]) -> None:
        super().step(self.pads.pop(0))


def test_rewards_are_those_of_the_frames(make_env: Callable[..., parallel_env]) -> None:
    """A step pays what a button env pays for the same pads, frame by frame."""
    backend, rng = RecordingBackend(), np.random.default_rng(5)
    env = make_env(backend=backend, level=3, reward=REWARD)
    buttons = make_env(
        backend=ReplayBackend(backend.pads), level=3, reward=REWARD, actions="buttons"
    )
    _, infos = env.reset(seed=9)
    buttons.reset(seed=9)
    while env.agents:
        _, rewards, *_, infos = env.step(draw_all(infos, rng))
        total = dict.fromkeys(AGENTS, 0.0)
        while backend.pads:
            _, earned, *_ = buttons.step(dict.fromkeys(AGENTS, 0))
            total = {agent: total[agent] + earned[agent] for agent in AGENTS}
        assert rewards == pytest.approx(total, abs=1e-9)
    assert not buttons.agents


def test_the_inert_seat_of_a_solo_round_only_waits(make_env: Callable[..., parallel_env]) -> None:
    env, rng = make_env(solo=True), np.random.default_rng(6)
    _, infos = env.reset(seed=2)
    for _ in range(5):
        assert np.flatnonzero(infos["player_1"]["action_mask"]).tolist() == [WAIT]
        assert infos["player_0"]["action_mask"][WAIT] == 0
        *_, infos = env.step(draw_all(infos, rng))


def test_an_episode_may_start_in_mid_fall(make_env: Callable[..., parallel_env]) -> None:
    backend, rng = RecordingBackend(), np.random.default_rng(7)
    backend.start_round(RoundSetup(levels=(10, 10)))
    for _ in range(9):
        backend.step((Button.LEFT, Button.A))
    env = make_env(backend=backend, level=10)
    _, infos = env.reset(options={"savestate": backend.save()})
    chosen = draw_all(infos, rng)
    expected = locked_field(GameState.from_ram(backend.ram()), 0, chosen["player_0"])
    backend.images.clear()
    env.step(chosen)
    played = [GameState.from_ram(image).players[0] for image in backend.images]
    assert next(player.cells for player in played if not player.can_act) == expected


def test_a_set_goes_on_after_a_round(make_env: Callable[..., parallel_env]) -> None:
    env, rng = make_env(level=10, episode="set", max_frames=20_000), np.random.default_rng(8)
    _, infos = env.reset(seed=3)
    steps = 0
    while env.agents:
        *_, infos = env.step(draw_all(infos, rng))
        steps += 1
    assert infos["player_0"]["end_reason"] == "top_out"
    state = GameState.from_ram(ram_of(env))
    assert max(player.crowns for player in state.players) == 3
    assert infos["player_0"]["illegal_actions"] == 0


@pytest.mark.parametrize("kind", OBSERVATION_KINDS)
def test_pettingzoo_accepts_it(make_env: Callable[..., parallel_env], kind: str) -> None:
    parallel_api_test(make_env(observation=kind, max_frames=4_000), num_cycles=40)


def test_the_same_seed_plays_the_same(make_env: Callable[..., parallel_env]) -> None:
    parallel_seed_test(lambda: make_env(max_frames=4_000))


def test_candidates_are_the_legal_poses(make_env: Callable[..., parallel_env]) -> None:
    env, rng = make_env(level=10, observation="candidates"), np.random.default_rng(9)
    observations, infos = env.reset(seed=5)
    for _ in range(20):
        for agent in AGENTS:
            poses = read_poses(observations[agent])
            legal = np.flatnonzero(infos[agent]["action_mask"][:NUM_POSES])
            assert poses[: len(legal)].tolist() == legal.tolist()
            assert (poses[len(legal) :] == NO_POSE).all()
        observations, _, _, _, infos = env.step(draw_all(infos, rng))
