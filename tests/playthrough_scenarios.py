"""What the golden playthroughs play: players and crafted bottles, recorded on the reference rules.

Needed only to make the files anew; the tests play what the files say.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np

from envs.actions import BUTTON_ACTIONS
from envs.game.layout import (
    FIELD_BASES,
    Address,
    Button,
    Mode,
    NextAction,
    PlayerOffset,
    Speed,
    Tile,
    player_address,
)
from envs.game.outcome import detect_outcome
from envs.game.position import parse_bottle
from envs.game.setup import RoundSetup
from envs.game.state import GameState, encode_bcd
from policies.greedy import GreedyPolicy
from tests.game_drivers import ReferenceMachine
from tests.playthroughs import Instruction, Pads, Playthrough, Write
from tests.random_rounds import random_pads

MAX_FRAMES = 20_000

ChoosePads = Callable[[GameState], Pads]
Script = Callable[["Recorder"], None]

NO_PADS = (0, 0)
LAST_LINE = "/".join(["8"] * 15 + ["YYY5"])
"""One virus line short of a clear, three viruses left."""


class Recorder:
    """Plays on the reference rules and writes down how."""

    def __init__(self, setup: RoundSetup) -> None:
        self.instructions: list[Instruction] = []
        self._machine = ReferenceMachine()
        self._machine.start(setup)
        self._solo = setup.solo

    @property
    def state(self) -> GameState:
        return GameState.from_ram(self._machine.ram())

    @property
    def is_over(self) -> bool:
        return detect_outcome(None, self.state, self._solo) is not None

    def step(self, pads: Pads, frames: int = 1) -> None:
        """Hold pads for some frames."""
        for _ in range(frames):
            self.instructions.append((int(pads[0]), int(pads[1])))
            self._machine.step((int(pads[0]), int(pads[1])))

    def play(self, choose: ChoosePads, frames: int = MAX_FRAMES) -> None:
        """Let players choose each frame's pads until the round is over, or for some frames."""
        for _ in range(frames):
            if self.is_over:
                return
            self.step(choose(self.state))

    def write(self, address: int, *values: int) -> None:
        """Write bytes of RAM."""
        self.instructions.append(Write(int(address), bytes(int(value) for value in values)))
        self._machine.set_ram({int(address) + place: int(v) for place, v in enumerate(values)})

    def write_player(self, seat: int, **values: int) -> None:
        """Write bytes of a player block; names are those of `PlayerOffset`, in lower case."""
        for name, value in values.items():
            self.write(player_address(seat, PlayerOffset[name.upper()]), value)

    def write_bottle(self, seat: int, text: str, viruses: int) -> None:
        """Write a bottle as in a position line, and its number of viruses."""
        self.write(FIELD_BASES[seat], *parse_bottle(text))
        self.write_player(seat, viruses=encode_bcd(viruses))

    def lock(self, seat: int, x: int, y: int, rotation: int, colours: tuple[int, int]) -> None:
        """Put the falling capsule somewhere and let gravity act on it in the next frame."""
        self.write_player(
            seat,
            x=x,
            y=y,
            rotation=rotation,
            colour_first=colours[0],
            colour_second=colours[1],
            gravity_counter=0xF0,
            next_action=NextAction.FALLING,
        )

    def press_start(self) -> None:
        """Tap player 1's START until the next round can be played, or the set is over."""
        for frame in count():
            state = self.state
            if state.mode == Mode.OPTIONS or (not self.is_over and state.both_can_act()):
                return
            # A press outside the end of a round would pause the next one.
            self.step((Button.START if frame % 2 and self.is_over else 0, 0))


def greedy_pads(state: GameState) -> Pads:
    """Both seats greedy."""
    actions, _ = GreedyPolicy().act([state, state.swapped()], None, None, np.random.default_rng(0))
    return int(BUTTON_ACTIONS[actions[0]]), int(BUTTON_ACTIONS[actions[1]])


def play_level_0(recorder: Recorder) -> None:
    recorder.play(greedy_pads)


def play_garbage_duel(recorder: Recorder) -> None:
    recorder.play(greedy_pads)


def play_solo(recorder: Recorder) -> None:
    recorder.play(greedy_pads)


def play_random(recorder: Recorder) -> None:
    pads = random_pads(4)
    recorder.play(lambda _: next(pads))


def play_double_top_out(recorder: Recorder) -> None:
    recorder.play(lambda _: (int(Button.DOWN), int(Button.DOWN)))
    recorder.press_start()
    recorder.step(NO_PADS, 40)


def play_mashing(recorder: Recorder) -> None:
    """Every button but START and SELECT, changing in every frame, at the highest speeds."""
    rng = np.random.default_rng(7)
    for seat, speed_ups in ((0, 48), (1, 49)):
        recorder.write_player(seat, speed_ups=speed_ups, capsules_low=0x08)
    keep = int(~(Button.START | Button.SELECT) & 0xFF)
    recorder.play(lambda _: (int(rng.integers(256)) & keep, int(rng.integers(256)) & keep), 1500)


def play_set(recorder: Recorder) -> None:
    """A pause, a draw by double clear, a clear, a top-out, and a clear that ends the set."""
    recorder.step((Button.START, 0))
    recorder.step((0, Button.START), 5)
    recorder.step((0, 0), 5)
    recorder.step((Button.START, 0))
    for winners in ((0, 1), (1,)):
        for seat in winners:
            recorder.write_bottle(seat, LAST_LINE, viruses=3)
            recorder.lock(seat, 3, 0, 0, (0, 1))
        recorder.play(greedy_pads)
        recorder.press_start()
    recorder.write(FIELD_BASES[1] + 3, Tile.VIRUS)
    recorder.write_player(1, next_action=NextAction.SEND_PILL)
    recorder.play(greedy_pads)
    recorder.press_start()
    recorder.write_bottle(0, LAST_LINE, viruses=3)
    recorder.lock(0, 3, 0, 0, (0, 1))
    recorder.play(greedy_pads)
    recorder.press_start()


def play_garbage(recorder: Recorder) -> None:
    """Crafted attacks: stacked, stale colours, more than four, an occupied top row, an answer."""
    two_lines = "/".join(["8"] * 14 + ["RRR5", "YYY3BB"])
    for seat in (0, 1):
        recorder.write_bottle(seat, "/".join(["8"] * 15 + ["Y5YB"]), viruses=40)
    for _ in range(2):
        recorder.write_bottle(0, two_lines, viruses=40)
        recorder.lock(0, 3, 0, 1, (0, 1))
        recorder.step(NO_PADS, 60)
    recorder.play(lambda _: (0, int(Button.DOWN)), 400)
    tall = "/".join(["1y5Y", "1R5B", *["1B6", "1R6"] * 6, "1B6", "1R5B"])
    recorder.write_bottle(1, tall, viruses=40)
    recorder.write_player(0, garbage_out=7)
    recorder.write(player_address(0, PlayerOffset.ATTACK_COLOURS), 2, 1, 0, 2)
    recorder.lock(1, 4, 0, 0, (2, 0))
    play_until_check(recorder, 1)
    # Columns 1, 3, 5 and 7; the first and the last are occupied.
    recorder.write(Address.FRAME_COUNTER, 0x20)
    recorder.step(NO_PADS)
    recorder.write_player(0, garbage_out=3)
    play_until_check(recorder, 1)
    recorder.step(NO_PADS, 300)
    answer = "/".join(["8"] * 13 + ["Y3R3", "Y3R3", "Y3R1BB"])
    recorder.write_bottle(0, answer, viruses=40)
    recorder.write_player(1, garbage_out=2)
    recorder.write(player_address(1, PlayerOffset.ATTACK_COLOURS), 0, 1)
    recorder.lock(0, 2, 0, 0, (2, 1))
    play_until_check(recorder, 0)
    # Columns 0 and 4, where three of their colour wait.
    recorder.write(Address.FRAME_COUNTER, 0xFF)
    recorder.step(NO_PADS, 250)


def play_until_check(recorder: Recorder, seat: int) -> None:
    """Go to the frame in which a seat sends and takes garbage."""
    recorder.step(NO_PADS)
    while recorder.state.players[seat].next_action != NextAction.CHECK_ATTACK:
        recorder.step(NO_PADS)


SCENARIOS: dict[str, tuple[str, RoundSetup, Script]] = {
    "level_0": ("Two greedy players at level 0.", RoundSetup(), play_level_0),
    "garbage_duel": (
        "Two greedy players at levels 0 and 1, fast; five volleys.",
        RoundSetup(levels=(0, 1), speeds=(Speed.HI, Speed.HI), rng_word=0x4002),
        play_garbage_duel,
    ),
    "unequal_levels": (
        "Random pads at unequal levels and speeds, up to a top-out.",
        RoundSetup(levels=(14, 3), speeds=(Speed.LOW, Speed.HI), rng_word=0x8B24),
        play_random,
    ),
    "double_top_out": (
        "Both hold DOWN until both top out in one frame, then start the next round.",
        RoundSetup(levels=(15, 15), rng_word=0xBF98, frame_offset=301),
        play_double_top_out,
    ),
    "solo": (
        "A greedy player alone.",
        RoundSetup(levels=(1, 0), speeds=(Speed.HI, Speed.MED), rng_word=0x818C, solo=True),
        play_solo,
    ),
    "mashing": (
        "All buttons mashed at the highest speeds.",
        RoundSetup(levels=(8, 8), speeds=(Speed.HI, Speed.HI), rng_word=0x1234),
        play_mashing,
    ),
    "set": ("A set with every kind of round's end, and a pause.", RoundSetup(), play_set),
    "garbage": ("Crafted attacks.", RoundSetup(rng_word=0x4341), play_garbage),
}


def record_playthrough(name: str) -> Playthrough:
    """Play a scenario on the reference rules and return what was done."""
    about, setup, script = SCENARIOS[name]
    recorder = Recorder(setup)
    script(recorder)
    return Playthrough(about, setup, tuple(recorder.instructions))
