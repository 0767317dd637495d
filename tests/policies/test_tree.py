"""`tree:DIR` as an ordinary player: frame by frame the same as native code, on every backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.backends.native_duel import TREE, DuelPlayers, Duels
from envs.backends.native_vector import ROUND_START, pack_start
from envs.backends.reference import ReferenceBackend
from envs.backends.simulator import SimulatorBackend
from envs.game.layout import Speed
from envs.game.setup import RoundSetup, seed_to_word
from policies.decision_choices import list_greedy_weights
from policies.distill.artefact import Artefact, ArtefactError
from policies.distill.tree import Node, make_page
from policies.rollout import Game, GameRecord, play_games
from policies.search import TUNED_WEIGHTS, list_weights
from policies.tree import TreePolicy, load_tree
from tests.policies.distill.trees import draw_tree

_SETUPS = [
    RoundSetup(levels=(level, level), speeds=(speed, speed), rng_word=seed_to_word(17 * level + 5))
    for level, speed in ((0, Speed.LOW), (4, Speed.MED), (9, Speed.HI), (14, Speed.MED))
]
_MAX_FRAMES = 4_000


def _play(
    trees: tuple[Node, Node], backend: SimulatorBackend | ReferenceBackend
) -> list[GameRecord]:
    policies = (TreePolicy(trees[0], "tree:a"), TreePolicy(trees[1], "tree:b"))
    with backend as opened:
        games = [
            Game(setup, policies, (np.random.default_rng(0), np.random.default_rng(1)))
            for setup in _SETUPS
        ]
        return play_games(games, [opened], max_frames=_MAX_FRAMES)


def test_it_plays_as_native_code_does() -> None:
    """Two readings of the same definition: one presses pad by pad, one plans a whole fall."""
    rng = np.random.default_rng(21)
    trees = (draw_tree(rng, 64), draw_tree(rng, 30))
    starts = np.zeros(len(_SETUPS), ROUND_START)
    for index, setup in enumerate(_SETUPS):
        starts[index] = pack_start(setup)
    duels = Duels(starts)
    duels.seats["control"] = TREE
    duels.seats["page"] = [0, 1]
    pages = np.stack([make_page(tree) for tree in trees])
    duels.play(
        DuelPlayers(
            pages, list_weights(TUNED_WEIGHTS), list_greedy_weights(), max_frames=_MAX_FRAMES
        )
    )
    records = _play(trees, SimulatorBackend())
    assert [one.frames for one in records] == duels.frames.tolist()
    winners = [-1 if one.winner is None else one.winner for one in records]
    assert winners == duels.winners.tolist()
    capsules = [[seat.capsules for seat in one.stats] for one in records]
    assert capsules == duels.totals[:, :, 4].tolist()
    assert min(min(pair) for pair in capsules) > 5


def test_a_folder_is_a_player(tmp_path: Path) -> None:
    tree = draw_tree(np.random.default_rng(2), 16)
    (tmp_path / "tree.json").write_text(Artefact(tree, "greedy", 0).to_json())
    policy = load_tree(str(tmp_path))
    assert (policy.tree, policy.name) == (tree, f"tree:{tmp_path}")
    assert policy.deterministic
    with pytest.raises(ArtefactError, match=r"expected a folder of `league export`"):
        load_tree(str(tmp_path / "none"))
