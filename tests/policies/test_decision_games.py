"""The fast game loop: the same games as the frame-by-frame one, and their decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from envs.backends.base import Backend
from envs.backends.native_decisions import NativeDecisions
from envs.backends.native_vector import VectorGames
from envs.backends.reference import ReferenceBackend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import CELLS, COLUMNS, COMPARED_ADDRESSES, FIELD_BASES, Speed
from envs.game.placement import WAIT
from envs.game.setup import RoundSetup, seed_to_word
from envs.game.state import GameState
from envs.vector import make_compact_program
from policies.base import CandidateBatch, Policy, View
from policies.decision_games import PlayedGame, play_decision_games
from policies.decision_replay import find_difference
from policies.greedy import GreedyPolicy
from policies.rollout import Game, GameRecord, play_games
from policies.scripted import NoopPolicy, RandomPolicy
from policies.search import SearchPolicy
from policies.tree import TreePolicy
from tests.native import needs_native
from tests.policies.distill.trees import draw_tree

pytestmark = needs_native

GREEDY, NOOP, SEARCH = GreedyPolicy(), NoopPolicy(), SearchPolicy(1)
TREE, OTHER_TREE = (
    TreePolicy(draw_tree(np.random.default_rng(leaves), leaves), f"tree:{leaves}")
    for leaves in (40, 64)
)
WANDERING_TREE = TreePolicy(draw_tree(np.random.default_rng(6), 64), "tree:wandering")


@dataclass(frozen=True)
class ViewPolicy:
    """Places by a number that it makes of all that it is shown, or by its stream."""

    view: View
    deterministic: bool = True
    remembers: bool = False

    @property
    def name(self) -> str:
        return f"views {self.view.observation}"

    def initial_state(self, batch: int) -> Any:
        return 0 if self.remembers else None

    def act(
        self, observations: Any, masks: np.ndarray | None, state: Any, rng: np.random.Generator
    ) -> tuple[np.ndarray, Any]:
        assert masks is not None
        actions = []
        for row, mask in enumerate(masks):
            legal = np.flatnonzero(mask)
            number = sum(self._list_bytes(observations, row)) + (state or 0)
            if not self.deterministic:
                number += int(rng.integers(len(legal)))
            actions.append(legal[number % len(legal)])
        return np.array(actions, np.int64), None if state is None else state + 1

    def _list_bytes(self, observations: Any, row: int) -> bytes:
        if isinstance(observations, CandidateBatch):
            count = int(observations.counts[row])
            parts = (observations.rows[row, :count], observations.poses[row, :count])
            return b"".join(part.tobytes() for part in (observations.compact[row], *parts))
        if self.view.observation == "position":
            position: GameState = observations[row]
            return b"".join(player.cells + bytes([player.x]) for player in position.players)
        return np.asarray(observations[row]).tobytes()


def view_policy(observation: Any, **options: bool) -> ViewPolicy:
    return ViewPolicy(View(observation, "placement"), **options)


def make_games(*policies: tuple[Policy, Policy], **setup: Any) -> list[Game]:
    games = []
    for seed, pair in enumerate(policies):
        rngs = (np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1]))
        games.append(Game(RoundSetup(rng_word=seed_to_word(seed), **setup), pair, rngs))
    return games


def play_slowly(games: Sequence[Game], max_frames: int = 36_000) -> list[GameRecord]:
    backends: list[Backend] = [SimulatorBackend(rendering=False) for _ in range(3)]
    return play_games(games, backends, max_frames=max_frames)


def records_of(played: Sequence[PlayedGame]) -> list[GameRecord]:
    return [game.record for game in played]


@pytest.mark.parametrize(
    ("pair", "setup"),
    [
        ((TREE, GREEDY), {"levels": (3, 3)}),
        ((SEARCH, TREE), {"levels": (6, 6), "speeds": (Speed.HI, Speed.HI)}),
        ((TREE, OTHER_TREE), {"levels": (12, 12), "speeds": (Speed.LOW, Speed.MED)}),
        ((TREE, NOOP), {"solo": True, "levels": (1, 1)}),
        ((GREEDY, GREEDY), {"levels": (0, 3)}),
        ((GREEDY, NOOP), {"levels": (20, 20), "speeds": (Speed.HI, Speed.LOW)}),
        ((SEARCH, GREEDY), {"levels": (4, 4)}),
        ((NOOP, SEARCH), {"levels": (9, 9), "speeds": (Speed.HI, Speed.HI)}),
        ((SearchPolicy(2, 4), SEARCH), {"levels": (1, 1)}),
        ((GREEDY, NOOP), {"solo": True, "levels": (2, 2)}),
        ((SEARCH, NOOP), {"solo": True, "levels": (3, 3)}),
    ],
)
def test_games_are_those_of_the_slow_loop(pair: tuple[Policy, Policy], setup: Any) -> None:
    fast = play_decision_games(make_games(pair, pair, **setup))
    assert records_of(fast) == play_slowly(make_games(pair, pair, **setup))


@pytest.mark.parametrize("observation", ["compact", "candidates", "position", "planes", "ram"])
def test_every_view_shows_what_the_slow_loop_shows(observation: str) -> None:
    pair = (view_policy(observation), view_policy(observation))
    fast = play_decision_games(make_games(pair, pair))
    assert records_of(fast) == play_slowly(make_games(pair, pair))


def test_policies_that_draw_or_remember_play_the_same_games() -> None:
    one = view_policy("compact", deterministic=False)
    pairs: list[tuple[Policy, Policy]] = [
        (one, view_policy("position", remembers=True)),
        (one, one),
        (one, NOOP),
    ]
    fast = play_decision_games(make_games(*pairs))
    assert records_of(fast) == play_slowly(make_games(*pairs))


def test_the_frame_limit_stops_games_in_the_same_frame() -> None:
    pair = (GREEDY, SEARCH)
    for limit in (1, 100, 701):
        fast = play_decision_games(make_games(pair), max_frames=limit)
        assert records_of(fast) == play_slowly(make_games(pair), limit)
        assert fast[0].record.reason == "frame_limit"


def test_a_game_does_not_depend_on_the_games_beside_it() -> None:
    pairs: list[tuple[Policy, Policy]] = [
        (GREEDY, SEARCH),
        (view_policy("compact", deterministic=False), NOOP),
        (NOOP, GREEDY),
        (SEARCH, view_policy("candidates")),
        (NOOP, NOOP),
    ]
    alone = [play_decision_games([game])[0] for game in make_games(*pairs)]
    for slots in (1, 2, 5):
        told: dict[int, PlayedGame] = {}
        together = play_decision_games(make_games(*pairs), slots=slots, on_game=told.__setitem__)
        assert records_of(together) == records_of(alone)
        assert [told[index] for index in range(len(pairs))] == together


def test_turns_tell_when_and_where_each_capsule_went() -> None:
    (played,) = play_decision_games(make_games((SEARCH, GREEDY), levels=(2, 2)))
    for seat, turns in enumerate(played.turns):
        assert turns.frames[0] == 0
        assert (np.diff(turns.frames) > 0).all()
        assert turns.viruses[0] == 12
        assert (np.diff(turns.viruses.astype(int)) <= 0).all()
        assert ((turns.poses >= 0) & (turns.poses < WAIT)).all()
        # The last capsule may still fall when the round ends.
        assert len(turns.poses) - played.record.stats[seat].capsules in (0, 1)
    assert [turns.manner for turns in played.turns] == ["planned", "steered"]


def test_inert_seats_have_no_turns() -> None:
    (played,) = play_decision_games(make_games((SEARCH, GREEDY), solo=True))
    assert len(played.turns[0].frames) > 0
    assert len(played.turns[1].frames) == 0


def test_no_games_are_played_in_no_time() -> None:
    assert play_decision_games([]) == []


def test_policies_that_press_buttons_are_refused() -> None:
    for policy in (RandomPolicy(), GreedyPolicy(action_repeat=4)):
        with pytest.raises(ValueError, match="expected policies that place capsules"):
            play_decision_games(make_games((policy, NOOP)))
    with pytest.raises(ValueError, match="slots >= 1"):
        play_decision_games(make_games((GREEDY, NOOP)), slots=0)


def test_decisions_refuse_other_arrays() -> None:
    games = VectorGames(1, make_compact_program())
    with pytest.raises(ValueError, match="expected greedy_weights"):
        NativeDecisions(games, np.zeros(3))
    weights = np.zeros(19)
    with pytest.raises(ValueError, match="contiguous int64 actions"):
        NativeDecisions(games, weights).decide(np.zeros((1, 2), np.int32))


@pytest.fixture(scope="module")
def played() -> PlayedGame:
    """A game with garbage and taps."""
    games = play_decision_games(make_games(*[(SEARCH, GREEDY)] * 4, levels=(1, 1)))
    return max(games, key=lambda game: game.record.stats[0].garbage_sent)


def replay(played: PlayedGame, second: Backend | None = None) -> str | None:
    backend = second or ReferenceBackend()
    return find_difference(played, SimulatorBackend(rendering=False), backend, COMPARED_ADDRESSES)


def test_a_recorded_game_replays_on_another_backend(played: PlayedGame) -> None:
    assert played.record.stats[0].garbage_sent > 0
    assert replay(played) is None


def test_a_solo_game_and_a_stopped_one_replay_too() -> None:
    (solo,) = play_decision_games(make_games((SEARCH, NOOP), solo=True))
    (stopped,) = play_decision_games(make_games((SEARCH, GREEDY)), max_frames=500)
    assert replay(solo) is None
    assert replay(stopped) is None


def test_a_game_of_trees_replays_too() -> None:
    poses: list[int] = []
    for pair in ((TREE, GREEDY), (SEARCH, OTHER_TREE), (WANDERING_TREE, GREEDY)):
        (game,) = play_decision_games(make_games(pair, levels=(4, 4)))
        routed = [turns.poses for turns in game.turns if turns.manner == "routed"]
        assert routed
        poses += np.concatenate(routed).tolist()
        assert replay(game) is None
    # Two turns and two steps to the left: what the routine must not press at once.
    assert any(pose // CELLS == 2 and pose % COLUMNS < 2 for pose in poses)


def test_another_decision_is_noticed(played: PlayedGame) -> None:
    turns = played.turns[0]
    moved = replace(turns, poses=np.roll(turns.poses, 1))
    assert replay(replace(played, turns=(moved, played.turns[1]))) is not None
    late = replace(turns, frames=turns.frames + 1)
    difference = replay(replace(played, turns=(late, played.turns[1])))
    assert difference == "frame 0: seat 0 decided in frame 1"


def test_another_result_is_noticed(played: PlayedGame) -> None:
    assert played.record.winner is not None
    wrong = replace(played.record, winner=1 - played.record.winner)
    assert "end: expected" in str(replay(replace(played, record=wrong)))


def test_another_backend_is_noticed(played: PlayedGame) -> None:
    class WrongBackend(ReferenceBackend):
        def step(self, pads: tuple[int, int]) -> None:
            super().step(pads)
            self.poke(FIELD_BASES[1], 0x42)

    difference = str(replay(played, WrongBackend()))
    assert difference.startswith("frame 0: $0500")
    assert "0x42 on the second" in difference


@pytest.mark.emulator
def test_a_recorded_game_replays_on_the_emulator(played: PlayedGame) -> None:
    from envs.backends.retro import RetroBackend

    backend = RetroBackend(rendering=False)
    try:
        assert replay(played, backend) is None
    finally:
        backend.close()
