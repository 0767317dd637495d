"""What a replay tells of each seat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from envs.backends.simulator import SimulatorBackend
from envs.game.setup import RoundSetup, seed_to_word
from league.game_facts import SeatFacts, read_facts
from league.tracking.play_facts import find_phase
from policies.base import Policy, View
from policies.decision_games import PlayedGame, play_decision_games
from policies.greedy import GreedyPolicy
from policies.rollout import Game, play_games
from policies.scripted import NoopPolicy, RandomPolicy
from policies.search import SearchPolicy
from tests.native import needs_native

pytestmark = needs_native

GREEDY, NOOP, SEARCH = GreedyPolicy(), NoopPolicy(), SearchPolicy(1)


@dataclass(frozen=True)
class LowPolicy:
    """Fills the bottle evenly, whatever the colours."""

    deterministic: bool = True
    name: str = "low"

    @property
    def view(self) -> View:
        return View("compact", "placement")

    def initial_state(self, batch: int) -> None:
        return None

    def act(
        self, observations: Any, masks: np.ndarray | None, state: None, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        assert masks is not None
        rows = np.arange(513) % 128 // 8
        return np.where(masks != 0, rows, -1).argmax(1), None


def make_game(left: Policy, right: Policy, seed: int = 0, **setup: Any) -> Game:
    rngs = (np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1]))
    return Game(RoundSetup(rng_word=seed_to_word(seed), **setup), (left, right), rngs)


def play(*games: Game) -> list[PlayedGame]:
    return play_decision_games(games)


def facts_of(played: PlayedGame) -> tuple[SeatFacts, SeatFacts]:
    simulator = SimulatorBackend(rendering=False)
    return read_facts(played.record.setup, played.record.replay, simulator)


def test_counts_are_those_of_the_record() -> None:
    games = [make_game(SEARCH, GREEDY, seed, levels=(9, 3)) for seed in range(4)]
    volleys = 0
    for played in play(*games):
        for seat, facts in enumerate(facts_of(played)):
            stats = played.record.stats[seat]
            assert facts.play.frames == played.record.frames
            assert sum(facts.play.capsules) == stats.capsules
            assert sum(facts.play.viruses) == stats.viruses
            assert (facts.play.volleys > 0) == (stats.garbage_sent > 0)
            assert 2 * facts.play.volleys <= stats.garbage_sent <= 4 * facts.play.volleys + 4
            volleys += facts.play.volleys
    assert volleys > 0


def test_phases_are_those_of_the_decisions() -> None:
    (played,) = play(make_game(SEARCH, NOOP, levels=(10, 10), solo=True))
    facts, inert = facts_of(played)
    viruses = played.turns[0].viruses
    phases = find_phase(viruses)
    assert [int((phases == phase).sum()) for phase in range(3)] == list(facts.play.capsules)
    assert facts.play.viruses == (44 - int(viruses[phases == 1][0]), *facts.play.viruses[1:])
    assert facts.play.viruses[1] == int(viruses[phases == 1][0]) - int(viruses[phases == 2][0])
    early = viruses[played.turns[0].frames < 3000][-1]
    assert 0 < 44 - early <= facts.viruses_first_minute < 44
    assert facts.play.solo
    assert inert.play.capsules == (0, 0, 0)
    assert (inert.viruses_first_minute, inert.cause) == (0, None)


def test_short_games_end_before_their_first_minute() -> None:
    (played,) = play(make_game(GREEDY, NOOP))
    assert played.record.frames < 3600
    facts, _ = facts_of(played)
    assert facts.viruses_first_minute == played.record.stats[0].viruses


def test_button_games_are_read_as_well() -> None:
    game = make_game(RandomPolicy(), RandomPolicy())
    simulator = SimulatorBackend(rendering=False)
    (record,) = play_games([game], [simulator])
    for seat, facts in enumerate(read_facts(record.setup, record.replay, simulator)):
        assert sum(facts.play.capsules) == record.stats[seat].capsules


def test_long_games_are_read_in_parts() -> None:
    (played,) = play(make_game(GREEDY, SEARCH, levels=(18, 18)))
    assert played.record.frames > 4096
    for seat, facts in enumerate(facts_of(played)):
        assert sum(facts.play.capsules) == played.record.stats[seat].capsules


@pytest.mark.parametrize(
    ("players", "level", "cause"),
    [((NOOP, SEARCH), 0, "stacked"), ((LowPolicy(), NOOP), 0, "stalled")],
    ids=["stacked", "stalled"],
)
def test_causes_of_a_top_out(players: tuple[Policy, Policy], level: int, cause: str) -> None:
    solo = players[1] is NOOP
    games = [make_game(*players, seed, levels=(level, level), solo=solo) for seed in range(20)]
    causes = {facts_of(played)[0].cause for played in play(*games)}
    assert cause in causes
    assert "garbage" not in causes or not solo


def test_an_attack_just_before_is_a_cause() -> None:
    games = [make_game(LowPolicy(), SEARCH, seed, levels=(0, 8)) for seed in range(30)]
    attacked = 0
    for played in play(*games):
        own, opponent = facts_of(played)
        if own.cause == "garbage":
            attacked += 1
            assert opponent.play.volleys > 0
        assert own.cause is None or played.record.reason in ("top_out", "both_top_out")
        assert opponent.cause is None
    assert attacked > 0
