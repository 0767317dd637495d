"""The small player's reach, features and tree: Python, native code and the rules agree."""

from __future__ import annotations

import numpy as np
import pytest

from envs.backends import native_duel
from envs.backends.batch import BatchSimulator
from envs.backends.native_duel import (
    OUTSIDE,
    ROUTINE,
    STILL,
    Duels,
    choose_candidates,
    list_candidates,
    read_positions,
    walk_tree,
)
from envs.game.layout import (
    FRAMES_PER_ROW,
    SPEED_BASES,
    Address,
    NextAction,
    PillDuelAddress,
    PlayerOffset,
    Speed,
    player_address,
)
from policies.distill import routine, spec
from policies.distill.decide import choose_best, judge_candidates
from policies.distill.features import describe_candidate
from policies.distill.play import draw_starts, play_on
from policies.distill.routine import Fall, Situation
from policies.distill.tree import Leaf, Node, make_page, walk
from policies.drops import find_column_tops
from tests.policies.distill.chains import CHAINS, Chain
from tests.policies.distill.trees import draw_tree

_SPEEDS = tuple(Speed)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """RAM of many games at the first frame of control of seat 0, from empty to full bottles."""
    rng = np.random.default_rng(11)
    duels = Duels(draw_starts(rng, 40, (0, 7, 14, 20), _SPEEDS, solo=False))
    duels.seats["control"] = OUTSIDE
    duels.seats["manner"] = ROUTINE
    duels.waiting[:] = True
    seen = []
    while duels.waiting.any():
        for seat in (0, 1):
            rows = np.flatnonzero(duels.waiting[:, seat])
            if not len(rows):
                continue
            images = duels.images[rows].copy()
            candidates, counts = list_candidates(read_positions(images, seat))
            picked = candidates[np.arange(len(rows)), (rng.random(len(rows)) * counts).astype(int)]
            duels.seats["pose"][rows, seat] = _pose(picked)
            if seat == 0:
                seen.append(images)
        play_on(duels)
    return np.concatenate(seen)


def _pose(candidates: np.ndarray) -> np.ndarray:
    rotation, row, column = (candidates[name].astype(int) for name in ("rotation", "row", "column"))
    return np.asarray(rotation * 128 + row * 8 + column)


def _unpack(position: np.ndarray) -> Situation:
    first, second, frames = position[128:].tolist()
    return Situation(position[:128].tobytes(), (first, second), frames)


def _speed_up(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return copies that fall at any speed the game has."""
    faster = images.copy()
    faster[:, player_address(0, PlayerOffset.SPEED_UPS)] = rng.integers(0, 50, len(images))
    return faster


def test_native_numbers_are_those_of_the_spec() -> None:
    assert native_duel.NUM_FEATURES == spec.NUM_FEATURES
    assert native_duel.PAGE_SIZE == spec.PAGE_SIZE


def test_native_candidates_and_choices_are_those_of_python(images: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    positions = read_positions(_speed_up(images, rng), 0)[::2]
    tree = draw_tree(rng, 64)
    candidates, counts = list_candidates(positions)
    choices = choose_candidates(positions, make_page(tree))
    for position, found, count, choice in zip(positions, candidates, counts, choices, strict=True):
        judged = judge_candidates(_unpack(position), tree)
        expected = [
            (one.drop.rotation, one.drop.column, one.drop.row, one.features) for one in judged
        ]
        assert [
            (int(one["rotation"]), int(one["column"]), int(one["row"]), tuple(one["features"]))
            for one in found[:count]
        ] == expected
        assert judged[choice] is choose_best(judged)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_half_falls_when_the_other_one_completes_a_line(mirrored: bool) -> None:
    """Three of a colour each in two neighbouring columns, one of them higher: a double line."""
    columns = (4, 3) if mirrored else (3, 4)
    bottle = bytearray([0xFF]) * 128
    for x, colour, rows in ((columns[0], 0, range(10, 13)), (columns[1], 1, range(13, 16))):
        for row in rows:
            bottle[row * 8 + x] = 0x80 | colour
    bottle[13 * 8 + columns[0]] = 0xD2

    def describe(colours: tuple[int, int]) -> dict[str, int]:
        situation = Situation(bytes(bottle), colours, 20)
        drops = routine.list_candidates(situation)
        drop = next(one for one in drops if (one.rotation, one.column) == (0, 3))
        values = describe_candidate(situation, drop)
        (found,), _ = list_candidates(np.frombuffer(situation.packed, np.uint8)[None])
        native = next(one for one in found if (one["rotation"], one["column"]) == (0, 3))
        assert tuple(native["features"]) == values
        return dict(zip(spec.FEATURE_NAMES, values, strict=True))

    double = describe((1, 0) if mirrored else (0, 1))
    assert (double["run_max"], double["run_min"], double["blocked"]) == (4, 4, 1)
    # Without a line the half over the lower column stays in the air.
    single = describe((1, 1))
    assert (single["run_max"], single["run_min"], single["covers_tile"]) == (1, 1, 1)


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_line_that_starts_a_chain_is_told_apart(chain: Chain, mirrored: bool) -> None:
    situation = chain.make_situation(mirrored)
    judged = judge_candidates(situation, Leaf(1))
    place = (3, 4 if mirrored else 3)
    standing = next(one for one in judged if (one.drop.rotation, one.drop.column) == place)
    assert standing.features[0] == 1 + chain.run + (spec.LETS_FALL if chain.is_chain else 0)
    (found,), (count,) = list_candidates(np.frombuffer(situation.packed, np.uint8)[None])
    native = [tuple(one["features"]) for one in found[:count]]
    assert native == [one.features for one in judged]


def test_features_stay_in_their_ranges(images: np.ndarray) -> None:
    candidates, counts = list_candidates(read_positions(images, 0))
    real = np.arange(candidates.shape[1]) < counts[:, None]
    features = candidates["features"][real]
    assert (features >= [one.low for one in spec.FEATURES]).all()
    assert (features <= [one.high for one in spec.FEATURES]).all()


@pytest.mark.parametrize("begins_odd", [False, True])
def test_every_candidate_locks_where_it_says(images: np.ndarray, begins_odd: bool) -> None:
    """The rules themselves, frame by frame, at every falling speed."""
    rng = np.random.default_rng(5)
    picked = _speed_up(images[rng.permutation(len(images))[:70]], rng)
    picked[:, PillDuelAddress.SOLO] = 1  # the other seat must not end the round
    picked[:, Address.FRAME_COUNTER] = 255 - begins_odd
    candidates, counts = list_candidates(read_positions(picked, 0))
    rows = np.repeat(np.arange(len(picked)), counts)
    chosen = candidates[np.arange(candidates.shape[1]) < counts[:, None]]
    poses = _play_routine(picked[rows], chosen)
    assert (poses == _pose(chosen)).all()


def test_native_games_lay_candidates_where_they_say() -> None:
    """Wherever nothing cleared, the two new tiles lie in the cells of the candidate."""
    rng = np.random.default_rng(13)
    duels = Duels(draw_starts(rng, 40, (0, 10), _SPEEDS, solo=True))
    duels.seats["control"] = [OUTSIDE, STILL]
    duels.seats["manner"] = ROUTINE
    duels.waiting[:, 0] = True
    steered: set[tuple[int, int]] = set()
    while duels.waiting.any():
        rows = np.flatnonzero(duels.waiting[:, 0])
        before = read_positions(duels.images[rows], 0)
        candidates, counts = list_candidates(before)
        picked = candidates[np.arange(len(rows)), (rng.random(len(rows)) * counts).astype(int)]
        duels.seats["pose"][rows, 0] = _pose(picked)
        play_on(duels)
        after = read_positions(duels.images[rows], 0)
        for old, new, one in zip(before[:, :128], after[:, :128], picked, strict=True):
            rotation, x, row = (int(one[name]) for name in ("rotation", "column", "row"))
            found = np.flatnonzero(old != new)
            if len(found) != 2 or (old[found] != 255).any():
                continue
            pivot = row * 8 + x
            assert set(found.tolist()) == {pivot, pivot - 8 if rotation & 1 else pivot + 1}
            steered.add((rotation, x))
    assert len(steered) == 2 * (7 + 8)


def _play_routine(images: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the poses in which capsules lock that the routine steers."""
    address = {
        offset: player_address(0, offset)
        for offset in (
            PlayerOffset.X,
            PlayerOffset.Y,
            PlayerOffset.ROTATION,
            PlayerOffset.NEXT_ACTION,
        )
    }
    wanted = [(int(one["rotation"]), int(one["column"])) for one in targets]
    positions = read_positions(images, 0)
    floors = [min(find_column_tops(position[:128].tobytes())) for position in positions]
    locked = np.full(len(images), -1)
    with BatchSimulator(len(images), threads=1) as games:
        games.images[:] = images
        for n in range(1, 1_200):
            ram = games.images
            falling = ram[:, address[PlayerOffset.NEXT_ACTION]] == NextAction.FALLING
            falling &= locked < 0
            if not falling.any():
                break
            pads = np.zeros((len(images), 2), np.uint8)
            rotations, columns, heights = (
                ram[:, address[offset]].tolist()
                for offset in (PlayerOffset.ROTATION, PlayerOffset.X, PlayerOffset.Y)
            )
            counters = (ram[:, Address.FRAME_COUNTER] + 1).tolist()
            for row in np.flatnonzero(falling):
                fall = Fall(
                    n,
                    counters[row],
                    15 - heights[row],
                    rotations[row],
                    columns[row],
                    floors[row],
                )
                pads[row, 0] = routine.choose_pad(fall, wanted[row])
            games.hold(pads)
            ram = games.images
            ended = falling & (ram[:, address[PlayerOffset.NEXT_ACTION]] != NextAction.FALLING)
            x, y, rotation = (
                ram[ended, address[offset]].astype(int)
                for offset in (PlayerOffset.X, PlayerOffset.Y, PlayerOffset.ROTATION)
            )
            locked[ended] = rotation * 128 + (15 - y) * 8 + x
    return locked


def test_faster_capsules_reach_less_but_always_something() -> None:
    """A wall beside the spawn columns: open at LOW, too high once rows pass before the taps."""
    bottle = bytearray([0xFF]) * 128
    for row in range(1, 16):
        bottle[row * 8 + 2] = bottle[row * 8 + 5] = 0x80
    columns = {}
    for frames in (FRAMES_PER_ROW[SPEED_BASES[0]], 5, 1):
        drops = routine.list_candidates(Situation(bytes(bottle), (0, 1), frames))
        columns[frames] = {(drop.rotation, drop.column) for drop in drops}
        assert (0, 3) in columns[frames]
    slow, five, one = columns.values()
    assert {(1, 0), (3, 7)} <= slow
    assert (1, 4) in five
    assert (1, 2) not in five
    assert {column for _, column in one} <= {3, 4}


def test_one_colour_has_two_rotations() -> None:
    empty = bytes([0xFF]) * 128
    drops = routine.list_candidates(Situation(empty, (2, 2), 20))
    assert [(drop.rotation, drop.column) for drop in drops] == [
        *((0, column) for column in range(7)),
        *((1, column) for column in range(8)),
    ]


def test_walks_agree_on_any_bytes_of_what_is_only_compared() -> None:
    rng = np.random.default_rng(9)
    for leaves in (1, 2, 17, 64):
        tree: Node = draw_tree(rng, leaves)
        rows = rng.integers(0, 256, (500, spec.NUM_FEATURES), np.uint8)
        rows[:, spec.DEPTH] = rng.integers(1, 17, 500)
        values = walk_tree(rows, make_page(tree))
        assert values.tolist() == [walk(tree, row.tolist()) for row in rows]
