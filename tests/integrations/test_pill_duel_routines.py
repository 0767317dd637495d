"""Routines of the cartridge on a bare 6502, against the facts and against the Python rules."""

from __future__ import annotations

import re

import numpy as np
import pytest

from envs.game import layout
from envs.game.layout import CELLS, EMPTY, FIELD_BASES, Address, PlayerOffset, Tile
from envs.game.setup import fill_reserve, place_viruses, step_rng
from tests.integrations.console import CARTRIDGE, Console

FRAME_CYCLES = 29_780
BOOT_WORD = 0x8988
MARK_CYCLES = 82


@pytest.fixture
def console() -> Console:
    return Console()


def read_cycle_claims() -> dict[str, int]:
    """Worst-case cycles that the contract of each routine states, by name."""
    claims = {}
    for source in sorted((CARTRIDGE / "src").glob("*.s")):
        pattern = r"cycles: ([\d,]+)[^\n]*(?:\n;;[^\n]*)*\n\.proc (\w+)"
        for cycles, name in re.findall(pattern, source.read_text()):
            claims[name] = int(cycles.replace(",", ""))
    return claims


CLAIMS = read_cycle_claims()


def set_word(console: Console, word: int) -> None:
    console.memory[Address.RNG_HIGH] = word >> 8
    console.memory[Address.RNG_LOW] = word & 0xFF


def get_word(console: Console) -> int:
    high, low = console.read(Address.RNG_HIGH, 2)
    return int(high) << 8 | int(low)


def enter_field(console: Console, cells: np.ndarray, seat: int = 0) -> None:
    """Give a seat this bottle and make it the current player."""
    console.write(FIELD_BASES[seat], [EMPTY] * 256)
    console.write(FIELD_BASES[seat], cells)
    console.call("load_player", x=seat * 0x80)


def field(console: Console, seat: int = 0) -> np.ndarray:
    return console.read(FIELD_BASES[seat], CELLS)


def random_field(rng: np.random.Generator, density: float) -> np.ndarray:
    """A bottle with viruses, singles and whole capsules, falling or not."""
    cells = np.full(CELLS, EMPTY, dtype=np.uint8)
    for cell in rng.permutation(CELLS):
        if cells[cell] != EMPTY or rng.random() > density:
            continue
        colours = rng.integers(0, 3, size=2)
        shape = rng.choice(["virus", "single", "flat", "upright"])
        right, below = cell + 1, cell + 8
        if shape == "flat" and cell % 8 < 7 and cells[right] == EMPTY:
            cells[cell], cells[right] = Tile.LEFT | colours[0], Tile.RIGHT | colours[1]
        elif shape == "upright" and below < CELLS and cells[below] == EMPTY:
            cells[cell], cells[below] = Tile.TOP | colours[0], Tile.BOTTOM | colours[1]
        else:
            cells[cell] = (Tile.VIRUS if shape == "virus" else Tile.SINGLE) | colours[0]
    return cells


def test_the_rng_follows_its_whole_orbit(console: Console) -> None:
    word = BOOT_WORD
    set_word(console, word)
    for _ in range(2000):
        result = console.call("rng_step")
        word = step_rng(word)
        assert get_word(console) == word
        assert result.cycles <= CLAIMS["rng_step"]


@pytest.mark.parametrize("word", [0x8988, 0x2ACA, 0x8B24, 0xBF98, 0x818C])
def test_the_reserve_is_that_of_the_word(console: Console, word: int) -> None:
    set_word(console, word)
    result = console.call("fill_reserve")
    reserve, after = fill_reserve(word)
    np.testing.assert_array_equal(console.read(layout.RESERVE_BASE, 128), reserve)
    assert get_word(console) == after
    assert result.cycles <= CLAIMS["fill_reserve"]


@pytest.mark.parametrize("levels", [(0, 0), (5, 5), (20, 20), (5, 10), (20, 15), (16, 17)])
@pytest.mark.parametrize("word", [0x2ACA, 0x8988, 0x1234])
def test_set_up_and_intro_fill_both_bottles(
    console: Console, levels: tuple[int, int], word: int
) -> None:
    console.write(0, [0] * layout.RAM_SIZE)
    set_word(console, word)
    for seat, level in enumerate(levels):
        console.write_player(seat, PlayerOffset.LEVEL, level)
    longest = console.call("setup_mode").cycles
    expected = place_viruses(levels, fill_reserve(word)[1])
    for _ in range(expected.intro_frames):
        assert console.memory[Address.WAIT_FRAMES] == 0
        longest = max(longest, console.call("intro_mode").cycles)
    assert console.memory[Address.WAIT_FRAMES] == 128
    np.testing.assert_array_equal(field(console, 0), expected.fields[0])
    np.testing.assert_array_equal(field(console, 1), expected.fields[1])
    assert get_word(console) == expected.word
    assert longest + CLAIMS["nmi"] < FRAME_CYCLES


def test_virus_counts_are_packed_bcd_up_and_down(console: Console) -> None:
    address = layout.SCRATCH_BASE + PlayerOffset.VIRUSES
    for count in range(1, 100):
        console.call("count_virus_up")
        assert console.memory[address] == int(str(count), 16)
    for count in reversed(range(99)):
        console.call("count_virus_down")
        assert console.memory[address] == int(str(count), 16)


def test_capsule_counts_are_bcd_and_every_tenth_speeds_up(console: Console) -> None:
    scratch = layout.SCRATCH_BASE
    for count in range(1, 1000):
        console.call("count_capsule")
        low = console.memory[scratch + PlayerOffset.CAPSULES_LOW]
        high = console.memory[scratch + PlayerOffset.CAPSULES_HIGH]
        assert high << 8 | low == int(str(count), 16)
        assert console.memory[scratch + PlayerOffset.SPEED_UPS] == min(count // 10, 49)


def fall_one_row(cells: np.ndarray) -> tuple[np.ndarray, bool]:
    """Reference of one fall pass, on a (16, 8) board of pieces."""
    board = cells.reshape(16, 8).copy()
    board[(board >= Tile.CLEARED) & (board != EMPTY)] = EMPTY
    moved = False
    for row in range(14, -1, -1):
        for column in range(8):
            kind = board[row, column] & 0xF0
            if board[row, column] == EMPTY or kind in (Tile.VIRUS, Tile.RIGHT):
                continue
            width = 2 if kind == Tile.LEFT else 1
            piece = slice(column, column + width)
            if (board[row + 1, piece] == EMPTY).all():
                board[row + 1, piece] = board[row, piece]
                board[row, piece] = EMPTY
                moved = True
    return board.reshape(-1), moved


def test_a_fall_pass_moves_what_is_unsupported_by_one_row(console: Console) -> None:
    rng = np.random.default_rng(1)
    longest = 0
    for index in range(300):
        cells = random_field(rng, rng.uniform(0.05, 0.9))
        circles = rng.random(CELLS) < 0.1
        cells[circles & (cells & 0xF0 == Tile.SINGLE)] = Tile.CLEARED
        seat = index % 2
        enter_field(console, cells, seat)
        result = console.call("fall_pass")
        expected, moved = fall_one_row(cells)
        np.testing.assert_array_equal(field(console, seat), expected)
        assert result.carry == moved
        longest = max(longest, result.cycles)
    assert longest <= CLAIMS["fall_pass"]


def test_nothing_falls_when_the_hidden_switch_says_so(console: Console) -> None:
    cells = random_field(np.random.default_rng(2), 0.3)
    console.memory[Address.NO_FALL] = 1
    enter_field(console, cells)
    assert not console.call("fall_pass").carry
    np.testing.assert_array_equal(field(console), cells)


def find_lines(lines: np.ndarray) -> list[tuple[int, int, int]]:
    """Reference scan of lines of colours (3 = empty): (line, first cell, length) of each run."""
    found = []
    for index, line in enumerate(lines):
        first = 0
        for cell in range(1, len(line) + 1):
            if cell == len(line) or line[cell] != line[first]:
                if cell - first >= 4 and line[first] != 3:
                    found.append((index, first, cell - first))
                first = cell
    return found


def few_colours(rng: np.random.Generator) -> np.ndarray:
    """A dense bottle in which lines are common."""
    cells = random_field(rng, 0.8)
    narrow = rng.integers(0, 3)
    change = (cells != EMPTY) & (rng.random(CELLS) < 0.5)
    cells[change] = cells[change] & 0xF0 | narrow
    return cells


def test_scans_find_every_line_once_in_order(console: Console) -> None:
    rng = np.random.default_rng(3)
    scratch = layout.SCRATCH_BASE
    total = 0
    for _ in range(150):
        cells = few_colours(rng)
        console.write(layout.PLAYER_BASES[0], [0] * 48)
        viruses = int((cells & 0xF0 == Tile.VIRUS).sum())
        console.write_player(0, PlayerOffset.VIRUSES, int(str(min(viruses, 99)), 16))
        enter_field(console, cells)
        cycles = [console.call("scan_rows").cycles, console.call("scan_columns").cycles]
        colours = np.where(cells == EMPTY, 3, cells & 0x0F).reshape(16, 8)
        rows, columns = find_lines(colours), find_lines(colours.T)
        board = cells.copy().reshape(16, 8)
        for row, first, length in rows:
            board[row, first : first + length] = Tile.MATCHED | colours[row, first]
        for column, first, length in columns:
            board[first : first + length, column] = Tile.MATCHED | colours[first, column]
        expected = board.reshape(-1)
        np.testing.assert_array_equal(field(console), expected)
        lines = [colours[row, first] for row, first, _ in rows]
        lines += [colours[first, column] for column, first, _ in columns]
        assert console.memory[scratch + PlayerOffset.COMBO] == len(lines)
        attack = console.read(scratch + PlayerOffset.ATTACK_COLOURS, 4)
        assert list(attack[: len(lines)]) == lines[:4]
        if viruses <= 99:
            killed = int(((cells & 0xF0 == Tile.VIRUS) & (expected & 0xF0 == Tile.MATCHED)).sum())
            left = console.memory[scratch + PlayerOffset.VIRUSES]
            assert left == int(str(viruses - killed), 16)
        marked = (sum(run[2] for run in rows), sum(run[2] for run in columns))
        assert cycles[0] <= CLAIMS["scan_rows"] + MARK_CYCLES * marked[0]
        assert cycles[1] <= CLAIMS["scan_columns"] + MARK_CYCLES * marked[1]
        total += len(lines)
    assert total > 300


def test_the_field_update_leaves_circles_and_singles(console: Console) -> None:
    rng = np.random.default_rng(4)
    longest = 0
    for _ in range(200):
        cells = random_field(rng, 0.6)
        pieces = cells != EMPTY
        matched = pieces & (rng.random(CELLS) < 0.3)
        cells[matched] = Tile.MATCHED | cells[matched] & 0x0F
        enter_field(console, cells)
        longest = max(longest, console.call("update_field").cycles)
        np.testing.assert_array_equal(field(console), update_reference(cells))
    assert longest <= CLAIMS["update_field"]


PARTNERS = {Tile.TOP: 8, Tile.BOTTOM: -8, Tile.LEFT: 1, Tile.RIGHT: -1}
OTHER_HALF = {
    Tile.TOP: Tile.BOTTOM,
    Tile.BOTTOM: Tile.TOP,
    Tile.LEFT: Tile.RIGHT,
    Tile.RIGHT: Tile.LEFT,
}


def update_reference(cells: np.ndarray) -> np.ndarray:
    updated = cells.copy()
    for cell, tile in enumerate(cells):
        kind, colour = int(tile) & 0xF0, int(tile) & 0x0F
        if tile == EMPTY:
            continue
        if kind == Tile.MATCHED:
            updated[cell] = Tile.CLEARED | colour
        elif kind in PARTNERS:
            other = cell + PARTNERS[Tile(kind)]
            alone = not 0 <= other < CELLS or cells[other] & 0xF0 != OTHER_HALF[Tile(kind)]
            updated[cell] = Tile.SINGLE | colour if alone else tile
    return updated


def test_an_upright_capsule_locked_in_the_top_row_becomes_a_single(console: Console) -> None:
    cells = np.full(CELLS, EMPTY, dtype=np.uint8)
    cells[3] = Tile.BOTTOM | 2
    enter_field(console, cells)
    console.call("update_field")
    assert field(console)[3] == Tile.SINGLE | 2


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("counter", range(8))
def test_a_volley_lands_in_the_columns_of_the_frame_counter(
    console: Console, size: int, counter: int
) -> None:
    console.memory[Address.FRAME_COUNTER] = counter
    console.write(layout.PLAYER_BASES[1] + PlayerOffset.ATTACK_COLOURS, [2, 0, 1, 2])
    enter_field(console, np.full(CELLS, EMPTY, dtype=np.uint8))
    result = console.call("drop_garbage", a=size, x=0x80)
    first = counter & (3 if size < 4 else 1)
    columns = [first, first + 4] if size == 2 else [first + 2 * index for index in range(size)]
    expected = np.full(CELLS, EMPTY, dtype=np.uint8)
    expected[columns] = [Tile.SINGLE | colour for colour in [2, 0, 1, 2][:size]]
    np.testing.assert_array_equal(field(console), expected)
    assert result.cycles <= CLAIMS["drop_garbage"]


def test_power_on_does_not_depend_on_what_the_ram_held() -> None:
    images = []
    for seed in range(4):
        console = Console()
        garbage = np.random.default_rng(seed).integers(0, 256, layout.RAM_SIZE)
        console.write(0, garbage if seed else [0] * layout.RAM_SIZE)
        console.run_to("reset", "main_loop")
        image = console.ram()
        image[0x0100:0x0200] = 0  # below the stack pointer
        images.append(image)
    for image in images[1:]:
        np.testing.assert_array_equal(image, images[0])


LINES_AT_ONCE = 12


def worst_field(step: str) -> np.ndarray:
    """A bottle on which a step of the placed pipeline takes longest."""
    cells = np.full(CELLS, Tile.SINGLE, dtype=np.uint8)
    if step == "fall":
        cells[-8:] = EMPTY
    elif step in ("rows", "columns"):
        board = Tile.SINGLE | np.add.outer(np.arange(16), np.arange(8)) % 2
        for line in range(LINES_AT_ONCE):
            if step == "rows":
                board[line, :4] = Tile.SINGLE | 2
            else:
                board[4 * (line // 8) : 4 * (line // 8) + 4, line % 8] = Tile.SINGLE | 2
        cells = board.reshape(-1).astype(np.uint8)
    else:
        cells[:] = Tile.TOP
    return cells


@pytest.mark.parametrize("step", ["fall", "rows", "columns", "update"])
def test_both_players_most_expensive_steps_fit_one_frame(console: Console, step: str) -> None:
    console.write(0x0200, [0] * 0x0600)
    for seat in (0, 1):
        console.write(FIELD_BASES[seat], [EMPTY] * 256)
        console.write(FIELD_BASES[seat], worst_field(step))
        console.write_player(seat, PlayerOffset.STATUS, 0xFF)
        console.write_player(seat, PlayerOffset.NEXT_ACTION, layout.NextAction.PLACED)
        placed = {"fall": 3, "rows": 5, "columns": 6, "update": 7}[step]
        console.write_player(seat, PlayerOffset.PLACED_STEP, placed)
        console.write_player(seat, PlayerOffset.VIRUSES, 0x99)
        console.write_player(seat, PlayerOffset.CROWNS, 2)
    console.memory[Address.CROWNS_NEEDED] = 3
    console.memory[Address.MODE] = layout.Mode.PLAY
    cycles = console.call("play_mode").cycles + console.call("sound_frame").cycles
    assert cycles <= CLAIMS["play_mode"]
    assert cycles + CLAIMS["nmi"] < FRAME_CYCLES


def test_the_nmi_keeps_to_its_cycles(console: Console) -> None:
    for seat in (0, 1):
        console.write_player(seat, PlayerOffset.STATUS, 0x0F)
    oam_dma = 514
    assert console.interrupt("nmi").cycles + oam_dma <= CLAIMS["nmi"]
    assert console.memory[Address.NMI_DONE] == 1
