"""Curricula: what rounds they draw, and how often."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.curriculum import BoardStart, Curriculum, read_boards
from envs.game.layout import Speed
from envs.game.position import format_position, parse_bottle
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup, count_viruses
from envs.starts import EpisodeStart
from envs.vector import VectorEnv

NEAR_CLEAR = parse_bottle("/".join(["8"] * 15 + ["R7"]))
BOARD = BoardStart((NEAR_CLEAR, NEAR_CLEAR))


def draw(curriculum: Curriculum, count: int = 4_000) -> list[EpisodeStart]:
    stream = np.random.default_rng(3)
    return [curriculum(stream) for _ in range(count)]


def level_shares(curriculum: Curriculum) -> list[float]:
    counts = Counter(start.setup.levels[0] for start in draw(curriculum))
    return [counts[level] / 4_000 for level in curriculum.levels]


def test_levels_are_drawn_evenly_or_by_height() -> None:
    assert level_shares(Curriculum((0, 5, 10))) == pytest.approx([1 / 3] * 3, abs=0.03)
    rising = level_shares(Curriculum((0, 5, 10), level_slope=1.0))
    assert rising == pytest.approx([1 / 18, 6 / 18, 11 / 18], abs=0.03)


def test_everything_is_off_by_default() -> None:
    for start in draw(Curriculum(), 200):
        assert start == EpisodeStart(start.setup)
        assert not start.setup.solo
        assert start.setup.speeds == (Speed.MED, Speed.MED)


def test_shares_are_kept() -> None:
    curriculum = Curriculum(
        solo=0.25, thinned=0.5, boards=(BOARD,), board_share=0.2, speeds=(Speed.MED, Speed.HI)
    )
    starts = draw(curriculum)
    assert np.mean([start.setup.solo for start in starts]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([start.bottles is not None for start in starts]) == pytest.approx(0.2, abs=0.03)
    # Half of those that start from no board.
    assert np.mean([start.viruses != (0, 0) for start in starts]) == pytest.approx(0.4, abs=0.03)
    assert np.mean([start.setup.speeds[0] == Speed.HI for start in starts]) == pytest.approx(
        0.5, abs=0.03
    )


def test_thinned_rounds_have_one_to_all_viruses_of_their_level() -> None:
    starts = draw(Curriculum((4,), thinned=1.0))
    seen = {start.viruses for start in starts}
    assert seen == {(left, left) for left in range(1, count_viruses(4) + 1)}


def test_boards_are_drawn_by_weight() -> None:
    other = BoardStart((parse_bottle("/".join(["8"] * 15 + ["B7"])),) * 2, weight=3.0)
    starts = draw(Curriculum(boards=(BOARD, other), board_share=1.0))
    share = np.mean([start.bottles == other.bottles for start in starts])
    assert share == pytest.approx(0.75, abs=0.03)


def test_boards_are_read_from_position_lines(tmp_path: Path) -> None:
    line = format_position(ReferenceGame.from_setup(RoundSetup(levels=(2, 7))).state())
    path = tmp_path / "boards.txt"
    path.write_text(f"# milestones\n\n2.5 {line}\n", encoding="utf-8")
    (board,) = read_boards(path)
    assert board.weight == 2.5
    state = ReferenceGame.from_setup(RoundSetup(levels=(2, 7))).state()
    assert board.bottles == (state.players[0].cells, state.players[1].cells)
    path.write_text("# one\nheavy mode=4\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"boards.txt:2: expected a weight .* got 'heavy'"):
        read_boards(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"levels": (0, 21)}, r"expected levels in 0\.\.20"),
        ({"levels": ()}, "expected levels"),
        ({"thinned": 1.5}, r"expected thinned in 0\.\.1, got 1.5"),
        ({"board_share": 0.1}, "expected boards for a board_share above 0"),
        ({"level_slope": -1.0}, "level_slope >= 0"),
    ],
)
def test_impossible_curricula_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Curriculum(**fields)


def test_a_board_needs_a_weight_and_a_virus() -> None:
    with pytest.raises(ValueError, match="weight above 0, got 0"):
        BoardStart((NEAR_CLEAR, NEAR_CLEAR), 0)
    with pytest.raises(ValueError, match="for seat 1, got no virus"):
        BoardStart((NEAR_CLEAR, parse_bottle("/".join(["8"] * 16))))


def test_the_batch_env_plays_what_is_drawn() -> None:
    curriculum = Curriculum((20,), thinned=1.0)
    env = VectorEnv(50, draw_setup=curriculum)
    step = env.reset(seed=0)
    viruses = step.observations[:, 0]
    env.close()
    cells = (viruses[:, :128] >= 1) & (viruses[:, :128] <= 3)
    counts = cells.sum(1)
    assert counts.min() >= 1
    assert counts.max() <= 84
    assert len(set(counts.tolist())) > 20
