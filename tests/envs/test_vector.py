"""The batch env against the PettingZoo env: the same games, decision by decision."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.backends.native_vector import TOTALS
from envs.compact import encode_compact_ram
from envs.drmario_versus_v0 import parallel_env
from envs.game.layout import Mode, PillDuelAddress, Speed
from envs.game.outcome import END_REASONS
from envs.game.placement import NUM_POSES, WAIT
from envs.game.setup import RoundSetup
from envs.game.state import GameState
from envs.reward import RewardConfig
from envs.vector import UniformSetups, VectorEnv, VectorStep

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


class ListedSetups:
    """Deals set-ups in turn."""

    def __init__(self, setups: list[RoundSetup]) -> None:
        self._setups = iter(setups)

    def __call__(self, stream: np.random.Generator) -> RoundSetup:
        return next(self._setups)


def make_setups(count: int, **fields: Any) -> list[RoundSetup]:
    words = range(1_000, 1_000 + 7 * count, 7)
    setups = [RoundSetup(levels=(word % 21, word % 11), rng_word=word) for word in words]
    return [replace(setup, **fields) for setup in setups]


def draw(step: VectorStep, rng: np.random.Generator) -> np.ndarray:
    """A legal action for every seat."""
    actions = np.full(step.due.shape, WAIT)
    for game, seat in np.argwhere(step.due):
        actions[game, seat] = rng.choice(np.flatnonzero(step.masks[game, seat]))
    return actions


class Follower:
    """One game of the batch, played again on the PettingZoo env."""

    def __init__(self, setup: RoundSetup, max_frames: int) -> None:
        self.env = parallel_env(
            backend="simulator", actions="placement", reward=REWARD, max_frames=max_frames
        )
        _, self.infos = self.env.reset(
            options={
                "levels": setup.levels,
                "speeds": setup.speeds,
                "rng_word": setup.rng_word,
                "frame_offset": setup.frame_offset,
                "solo": setup.solo,
            }
        )
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self.frames = 0

    def step(self, actions: np.ndarray) -> None:
        before = self.infos["player_0"]["frames"]
        chosen = dict(zip(AGENTS, actions.tolist(), strict=True))
        self.observations, self.rewards, *_, self.infos = self.env.step(chosen)
        self.frames = self.infos["player_0"]["frames"] - before

    def check(self, step: VectorStep, game: int) -> None:
        for seat, agent in enumerate(AGENTS):
            mask = self.infos[agent]["action_mask"]
            np.testing.assert_array_equal(step.masks[game, seat], mask)
            assert step.due[game, seat] == (mask[WAIT] == 0)
            if step.due[game, seat]:
                shown = self.env.backend.ram()  # type: ignore[union-attr]
                expected = encode_compact_ram(shown, seat)
                np.testing.assert_array_equal(step.observations[game, seat], expected)
        assert step.rewards[game].tolist() == pytest.approx(list(self.rewards.values()), abs=1e-6)
        assert step.frames[game] == self.frames


@pytest.mark.parametrize(
    ("fields", "max_frames"),
    [
        ({}, 36_000),
        ({"speeds": (Speed.LOW, Speed.HI), "frame_offset": 5}, 36_000),
        ({"solo": True}, 36_000),
        ({"levels": (0, 0)}, 300),
    ],
)
def test_it_plays_as_the_pettingzoo_env(
    fields: dict[str, Any], max_frames: int, rng: np.random.Generator
) -> None:
    setups = make_setups(40, **fields)
    games = 4
    # Each game draws its first set-up, then the one that it will go on with.
    order = [*setups[:games], *setups[games:]]
    vector = VectorEnv(games, draw_setup=ListedSetups(order), reward=REWARD, max_frames=max_frames)
    step = vector.reset(seed=0)
    followers = [Follower(setup, max_frames) for setup in order[:games]]
    waiting = order[games : 2 * games]
    drawn = 2 * games
    for _ in range(80):
        actions = draw(step, rng)
        step = vector.step(actions)
        for game, follower in enumerate(followers):
            follower.step(actions[game])
            ended = bool(step.terminated[game] or step.truncated[game])
            assert ended == (not follower.env.agents)
            if not ended:
                follower.check(step, game)
                continue
            check_end(vector, step, game, follower)
            followers[game] = Follower(waiting[game], max_frames)
            waiting[game] = order[drawn]
            drawn += 1
            followers[game].rewards = dict(zip(AGENTS, step.rewards[game].tolist(), strict=True))
            followers[game].frames = int(step.frames[game])
            followers[game].check(step, game)
    assert drawn > 2 * games, "some games ended"


def check_end(vector: VectorEnv, step: VectorStep, game: int, follower: Follower) -> None:
    games, infos = vector.games, follower.infos
    reason = infos["player_0"]["end_reason"]
    assert END_REASONS[games.reasons[game] - 1] == reason
    assert step.truncated[game] == (reason == "frame_limit")
    winner = infos["player_0"]["winner"]
    assert games.winners[game] == (-1 if winner is None else AGENTS.index(winner))
    assert games.episode_frames[game] == infos["player_0"]["frames"]
    assert step.rewards[game].tolist() == pytest.approx(list(follower.rewards.values()), abs=1e-6)
    for seat, agent in enumerate(AGENTS):
        totals = dict(zip(TOTALS, games.totals[game, seat].tolist(), strict=True))
        for name in ("lines", "garbage_sent", "capsules"):
            assert totals[name] == infos[agent][name]
        assert totals["illegal"] == totals["ignored"] == 0
        shown = follower.env.backend.ram()  # type: ignore[union-attr]
        np.testing.assert_array_equal(
            games.final_observations[game, seat], encode_compact_ram(shown, seat)
        )


def test_illegal_and_ignored_actions_are_counted(rng: np.random.Generator) -> None:
    vector = VectorEnv(1, max_frames=2_000)
    step = vector.reset(seed=3)
    illegal = int(np.flatnonzero(step.masks[0, 1, :NUM_POSES] == 0)[0])
    counted = 0
    while not step.truncated[0] and not step.terminated[0]:
        # Player 1 plays on; player 2 is wrong whenever it can be, and player 1 while it waits.
        actions = draw(step, rng)
        wrong = int(np.flatnonzero(step.masks[0, 1] == 0)[0]) if step.due[0, 1] else illegal
        actions[0, 1] = wrong
        counted += 1
        due = step.due.copy()
        step = vector.step(actions)
        assert due.any()
    totals = dict(zip(TOTALS, vector.games.totals[0, 1].tolist(), strict=True))
    assert totals["illegal"] + totals["ignored"] == counted
    assert totals["illegal"] >= 1
    assert totals["ignored"] >= 1


def test_a_seed_fixes_the_games_of_any_number(rng: np.random.Generator) -> None:
    few, many = VectorEnv(2), VectorEnv(5)
    first, second = few.reset(seed=8), many.reset(seed=8)
    np.testing.assert_array_equal(first.observations, second.observations[:2])
    other = VectorEnv(2).reset(seed=9)
    assert not np.array_equal(first.observations, other.observations)


def test_threads_change_nothing(rng: np.random.Generator) -> None:
    setups = UniformSetups(levels=(0, 10, 20), speed=Speed.HI)
    vectors = [VectorEnv(9, draw_setup=setups, candidates=64, threads=n) for n in (1, None)]
    steps = [vector.reset(seed=1) for vector in vectors]
    for _ in range(60):
        actions = draw(steps[0], rng)
        steps = [vector.step(actions) for vector in vectors]
        for name in ("due", "masks", "rewards", "frames", "observations"):
            np.testing.assert_array_equal(getattr(steps[0], name), getattr(steps[1], name))
        np.testing.assert_array_equal(vectors[0].games.candidates, vectors[1].games.candidates)
    for vector in vectors:
        vector.close()


def test_candidates_on_demand_are_those_of_every_step(rng: np.random.Generator) -> None:
    setups = UniformSetups(levels=(0, 10))
    at_once, asked = (
        VectorEnv(9, draw_setup=setups, candidates=64, candidates_at_once=value)
        for value in (True, False)
    )
    steps = [at_once.reset(seed=1), asked.reset(seed=1)]
    for _ in range(40):
        due = np.flatnonzero(steps[0].due.reshape(-1))
        some = due[rng.random(len(due)) < 0.5]
        asked.games.show_candidates(some)
        asked.games.show_candidates(some[:1])
        left = np.setdiff1d(due, some)
        assert (asked.games.candidate_counts.reshape(-1)[left] == -1).all()
        for game, seat in zip(*np.divmod(some, 2), strict=True):
            count = at_once.games.candidate_counts[game, seat]
            assert asked.games.candidate_counts[game, seat] == count
            for name in ("candidates", "candidate_poses"):
                written, expected = (
                    getattr(env.games, name)[game, seat, :count] for env in (asked, at_once)
                )
                np.testing.assert_array_equal(written, expected)
        actions = draw(steps[0], rng)
        steps = [at_once.step(actions), asked.step(actions)]


@pytest.fixture
def small() -> Iterator[VectorEnv]:
    vector = VectorEnv(2)
    yield vector
    vector.close()


def test_wrong_actions_are_named(small: VectorEnv) -> None:
    small.reset(seed=0)
    for actions, message in (
        (np.zeros((2, 2)), "expected integer actions"),
        (np.zeros((3, 2), int), r"expected integer actions \(2, 2\)"),
        (np.full((2, 2), 513), r"expected actions in 0\.\.512, got 513"),
        (np.full((2, 2), -1), r"expected actions in 0\.\.512, got -1"),
    ):
        with pytest.raises(ValueError, match=message):
            small.step(actions)


def test_it_must_be_reset_first(small: VectorEnv) -> None:
    with pytest.raises(RuntimeError, match="call reset first"):
        small.step(np.full((2, 2), WAIT))


@pytest.mark.parametrize(("name", "value"), [("games", 0), ("max_frames", 0), ("threads", 0)])
def test_impossible_arguments_are_named(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=rf"expected {name} to be 1 or more, got {value}"):
        VectorEnv(**{"games": 2} | {name: value})  # type: ignore[arg-type]


def test_the_example_of_the_page_runs() -> None:
    page = (ROOT / "docs" / "placement.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", example]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_images_are_the_games(small: VectorEnv) -> None:
    small.reset(seed=0)
    for image in small.games.images:
        state = GameState.from_ram(image, check=True)
        assert state.mode == Mode.PLAY
        assert state.both_can_act(solo=bool(image[PillDuelAddress.SOLO]))
    with pytest.raises(ValueError, match="read-only"):
        small.games.images[0, 0] = 1
