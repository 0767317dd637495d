"""The `compact` and `planes` observations, and their documentation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs.game.layout import (
    FIELD_BASES,
    PLAYER_BASES,
    RESERVE_BASE,
    Address,
    Button,
    Colour,
    NextAction,
    PlayerOffset,
)
from envs.game.position import parse_bottle
from envs.game.rules import ReferenceGame
from envs.game.setup import RoundSetup, seed_to_word
from envs.game.state import GameState
from envs.observation import (
    CELL_KINDS,
    COMPACT_FIELDS,
    COMPACT_HIGH,
    COMPACT_SIZE,
    COMPACT_SPEC,
    COUNTERS,
    NUM_CELL_CODES,
    PLANE_KINDS,
    PLANES,
    PlaneKind,
    count_planes,
    decode_compact,
    encode_compact,
    encode_compact_ram,
    encode_planes,
)

OBSERVATION_PAGE = Path(__file__).parents[2] / "docs" / "observation.md"
PADS = (0, Button.LEFT, Button.RIGHT, Button.DOWN, Button.A, Button.B, Button.DOWN, Button.DOWN)
SEATS = (0, 1)


def play_images(seed: int) -> list[np.ndarray]:
    """RAM images from a random round, one every 25 frames, and its last."""
    rng = np.random.default_rng(seed)
    setup = RoundSetup(levels=(seed % 21, 20 - seed % 21), rng_word=seed_to_word(seed))
    game = ReferenceGame.from_setup(setup)
    images = [game.ram()]
    for frame in range(1500):
        game.step((int(rng.choice(PADS)), int(rng.choice(PADS))))
        if frame % 25 == 0:
            images.append(game.ram())
        if any(player.topped_out for player in game.state().players):
            break
    return [*images, game.ram()]


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [image for seed in range(4) for image in play_images(seed)]


@pytest.fixture
def ram() -> np.ndarray:
    """A round at its first controllable frame."""
    return ReferenceGame.from_setup(RoundSetup(levels=(3, 9))).ram()


class TestCompact:
    def test_fields_follow_each_other_without_gaps(self) -> None:
        offset = 0
        for field in COMPACT_FIELDS:
            assert field.offset == offset
            offset += field.size
        assert offset == COMPACT_SIZE == len(COMPACT_HIGH)

    @pytest.mark.parametrize("seat", SEATS)
    def test_the_public_position_comes_back(self, images: list[np.ndarray], seat: int) -> None:
        for image in images:
            state = GameState.from_ram(image)
            observation = encode_compact(state, seat)
            assert observation.dtype == np.uint8
            assert observation.shape == (COMPACT_SIZE,)
            seen = state if seat == 0 else state.swapped()
            assert decode_compact(observation) == seen.public()

    @pytest.mark.parametrize("seat", SEATS)
    def test_the_ram_encoder_is_the_same(self, images: list[np.ndarray], seat: int) -> None:
        for image in images:
            expected = encode_compact(GameState.from_ram(image), seat)
            np.testing.assert_array_equal(encode_compact_ram(image, seat), expected)

    def test_values_stay_below_the_stated_highest(self, images: list[np.ndarray]) -> None:
        for image in images:
            for seat in SEATS:
                assert (encode_compact_ram(image, seat) <= COMPACT_HIGH).all()

    def test_the_reserve_and_the_rng_do_not_show(self, ram: np.ndarray) -> None:
        other = ram.copy()
        other[RESERVE_BASE:] = 0
        other[[Address.RNG_HIGH, Address.RNG_LOW]] ^= 0x5A
        for base in PLAYER_BASES:
            other[base + PlayerOffset.RESERVE_INDEX] = 99
        for seat in SEATS:
            np.testing.assert_array_equal(
                encode_compact_ram(ram, seat), encode_compact_ram(other, seat)
            )

    def test_seats_see_themselves_first(self, ram: np.ndarray) -> None:
        own, opponent = COMPACT_SPEC["own.viruses"], COMPACT_SPEC["opponent.viruses"]
        first, second = (encode_compact_ram(ram, seat) for seat in SEATS)
        assert (first[own.offset], first[opponent.offset]) == (16, 40)
        assert (second[own.offset], second[opponent.offset]) == (40, 16)

    def test_the_gravity_index_adds_the_speed_ups(self, ram: np.ndarray) -> None:
        ram[PLAYER_BASES[1] + PlayerOffset.SPEED] = 2
        ram[PLAYER_BASES[1] + PlayerOffset.SPEED_UPS] = 49
        observation = encode_compact_ram(ram, 0)
        assert observation[COMPACT_SPEC["own.gravity_index"].offset] == 25
        assert observation[COMPACT_SPEC["opponent.gravity_index"].offset] == 80

    def test_every_tile_has_its_own_code_and_text_boxes_show_as_empty(
        self, ram: np.ndarray
    ) -> None:
        tiles = [tile | colour for tile in CELL_KINDS for colour in Colour]
        ram[FIELD_BASES[0] : FIELD_BASES[0] + len(tiles)] = tiles
        ram[FIELD_BASES[0] + len(tiles)] = 0xED
        codes = encode_compact_ram(ram, 0)[: len(tiles) + 1].tolist()
        assert codes == [*range(1, NUM_CELL_CODES), 0]

    def test_broken_observations_are_refused(self) -> None:
        with pytest.raises(ValueError, match=rf"expected compact of shape \({COMPACT_SIZE},\)"):
            decode_compact(np.zeros(COMPACT_SIZE + 1, np.uint8))
        with pytest.raises(ValueError, match=f"expected cell codes below {NUM_CELL_CODES}, got 25"):
            decode_compact(np.full(COMPACT_SIZE, 25, np.uint8))


class TestPlanes:
    @staticmethod
    def draw(ram: np.ndarray, seat: int, kind: PlaneKind = "extended") -> dict[str, np.ndarray]:
        """The acting seat's planes by name."""
        image = encode_planes(GameState.from_ram(ram), seat, kind)
        return {plane.name: image[:, :, index] for index, plane in enumerate(PLANES[kind])}

    @pytest.mark.parametrize(("kind", "planes"), [("bitplane", 24), ("extended", 32)])
    def test_shape_and_values(self, images: list[np.ndarray], kind: PlaneKind, planes: int) -> None:
        assert count_planes(kind) == planes
        for image in images[::10]:
            picture = encode_planes(GameState.from_ram(image), 0, kind)
            assert picture.shape == (16, 8, planes)
            assert picture.dtype == np.uint8
            assert picture.max() == 1

    @pytest.mark.parametrize("kind", PLANE_KINDS)
    def test_seats_see_themselves_first(self, images: list[np.ndarray], kind: PlaneKind) -> None:
        half = count_planes(kind) // 2
        for image in images[::10]:
            state = GameState.from_ram(image)
            first, second = (encode_planes(state, seat, kind) for seat in SEATS)
            np.testing.assert_array_equal(first[:, :, :half], second[:, :, half:])
            np.testing.assert_array_equal(first[:, :, half:], second[:, :, :half])

    def test_tiles_are_drawn_by_colour_kind_and_link(self, ram: np.ndarray) -> None:
        rows = ["8"] * 13 + ["^y3*y3", "_r2~b<b>rr1", "6YB"]
        ram[FIELD_BASES[0] : FIELD_BASES[0] + 128] = list(parse_bottle("/".join(rows)))
        planes = self.draw(ram, 0)
        expected = {
            "yellow": [(13, 0), (13, 4), (15, 6)],
            "red": [(14, 0), (14, 5), (14, 6)],
            "blue": [(14, 3), (14, 4), (15, 7)],
            "virus": [(15, 6), (15, 7)],
            "clearing": [(13, 4), (14, 3)],
            "link_below": [(13, 0)],
            "link_above": [(14, 0)],
            "link_right": [(14, 4)],
            "link_left": [(14, 5)],
        }
        for name, places in expected.items():
            assert list(zip(*np.nonzero(planes[name]), strict=True)) == places, name

    def test_the_falling_capsule_shows_while_it_can_be_moved(self, ram: np.ndarray) -> None:
        block = PLAYER_BASES[1]
        ram[block + PlayerOffset.COLOUR_FIRST], ram[block + PlayerOffset.COLOUR_SECOND] = 2, 1
        ram[block + PlayerOffset.X], ram[block + PlayerOffset.Y] = 5, 4
        ram[block + PlayerOffset.ROTATION] = 1
        planes = self.draw(ram, 1)
        assert np.argwhere(planes["falling_blue"]).tolist() == [[11, 5]]
        assert np.argwhere(planes["falling_red"]).tolist() == [[10, 5]]
        ram[block + PlayerOffset.NEXT_ACTION] = NextAction.PLACED
        assert not self.draw(ram, 1)["falling_blue"].any()

    def test_a_half_above_the_top_row_is_not_drawn(self, ram: np.ndarray) -> None:
        ram[PLAYER_BASES[0] + PlayerOffset.ROTATION] = 1
        planes = self.draw(ram, 0)
        drawn = sum(planes[f"falling_{name}"].sum() for name in ("yellow", "red", "blue"))
        assert drawn == 1

    def test_the_next_capsule_lies_where_it_will_spawn(self, ram: np.ndarray) -> None:
        block = PLAYER_BASES[0]
        ram[block + PlayerOffset.NEXT_FIRST], ram[block + PlayerOffset.NEXT_SECOND] = 0, 2
        planes = self.draw(ram, 0)
        assert np.argwhere(planes["next_yellow"]).tolist() == [[0, 3]]
        assert np.argwhere(planes["next_blue"]).tolist() == [[0, 4]]
        assert not planes["next_red"].any()

    def test_counters_are_written_a_row_each_in_binary(self, ram: np.ndarray) -> None:
        ram[PLAYER_BASES[0] + PlayerOffset.GARBAGE_OUT] = 5
        ram[Address.FRAME_COUNTER] = 0x81
        counters = self.draw(ram, 0)["counters"]
        values = dict(zip(COUNTERS, np.packbits(counters, axis=1).ravel().tolist(), strict=True))
        assert values["garbage_out"] == 5
        assert values["frame"] == 0x81
        assert values["viruses"] == 16
        assert values["level"] == 3
        assert values["gravity_index"] == 25

    def test_unknown_kinds_name_the_known_ones(self) -> None:
        with pytest.raises(ValueError, match="out of bitplane, extended, got 'onehot'"):
            count_planes("onehot")  # type: ignore[arg-type]


class TestPage:
    def test_every_field_of_compact_is_documented(self) -> None:
        page = OBSERVATION_PAGE.read_text()
        for field in COMPACT_FIELDS:
            assert f"| {field.offset} | {field.size} | `{field.name}` | {field.high} |" in page
            assert field.doc in page
        assert f"{COMPACT_SIZE} bytes" in page

    @pytest.mark.parametrize("kind", PLANE_KINDS)
    def test_every_plane_is_documented(self, kind: PlaneKind) -> None:
        page = OBSERVATION_PAGE.read_text()
        for index, plane in enumerate(PLANES[kind]):
            assert f"| {index} | `{plane.name}` | {plane.meaning} |" in page

    def test_every_cell_code_and_counter_is_documented(self) -> None:
        page = OBSERVATION_PAGE.read_text()
        for place, tile in enumerate(CELL_KINDS):
            first = 3 * place + 1
            assert f"| {first}, {first + 1}, {first + 2} | {tile.name.lower()} |" in page
        for row, counter in enumerate(COUNTERS):
            assert f"| {row} | {counter} |" in page
