"""Falling capsules for judging and timing the planner: crafted ones, and ones from play."""

from __future__ import annotations

from typing import Final

import numpy as np

from envs.candidates import FEATURE_INDEX
from envs.game.capsule import SPAWN_X, SPAWN_Y, is_vertical
from envs.game.layout import (
    COLUMNS,
    EMPTY,
    FRAMES_PER_ROW,
    NUM_COLOURS,
    ROWS,
    Button,
    Speed,
    Tile,
)
from envs.game.placement import CAPSULE_SIZE, WAIT, pack_capsule
from envs.vector import UniformSetups, VectorEnv, VectorStep

_HIGHEST_STACK: Final = 13
_OVERHANG_FILL: Final = 0.7
"""Share of the cells of a stack with overhangs that hold something."""
_SIDES: Final = (0, 0, int(Button.LEFT), int(Button.RIGHT), int(Button.DOWN))
_TURNS: Final = (0, 0, 0, int(Button.A), int(Button.B), int(Button.A | Button.B))
_MAX_DAS: Final = 16
_GAMES: Final = 64
_CANDIDATES: Final = 128
_PLAY_WEIGHTS: Final = {
    "viruses_cleared": 6.0,
    "lines": 2.0,
    "blocks_spawn": -50.0,
    "max_height": -0.5,
    "buried_runs": -1.0,
    "colour_changes": -0.5,
    "holes": -0.3,
    "top_two": 0.5,
    "top_three": 1.5,
    "top_virus_two": 2.0,
    "top_virus_three": 5.0,
}
"""What a candidate is worth in play that is to look like play; set by hand."""
_PLAY_NOISE: Final = 1.0
"""Standard deviation of the noise on top, so that games differ and go wrong at times."""


def craft_capsule(
    rng: np.random.Generator, gravity_index: int, *, overhangs: bool, at_spawn: bool
) -> bytes:
    """Make a capsule over a random stack.

    Args:
        rng: Draws everything.
        gravity_index: Speed, 0..80.
        overhangs: Whether the stack has holes.
        at_spawn: The capsule has just come in, with no button down; otherwise it is anywhere, its
            counters and buttons in any state.

    Returns:
        A packed capsule, see `envs.game.placement.pack_capsule`.
    """
    while True:
        field = _craft_field(rng, overhangs)
        x, y, rotation, gravity_counter, held = SPAWN_X, SPAWN_Y, 0, 0, 0
        if not at_spawn:
            x, y = int(rng.integers(COLUMNS)), int(rng.integers(ROWS))
            rotation = int(rng.integers(4))
            gravity_counter = int(rng.integers(FRAMES_PER_ROW[gravity_index]))
            held = int(rng.choice(_SIDES)) | int(rng.choice(_TURNS))
        if _fits(field, x, y, rotation):
            break
    das_counter, frame_counter = int(rng.integers(_MAX_DAS + 1)), int(rng.integers(256))
    return field.tobytes() + bytes(
        (x, y, rotation, gravity_counter, gravity_index, das_counter, held, frame_counter)
    )


def craft_capsules(
    rng: np.random.Generator, count: int, gravity_index: int, *, at_spawn: bool
) -> np.ndarray:
    """Make capsules, every other one over a stack with overhangs: uint8 (count, 136)."""
    capsules = [
        craft_capsule(rng, gravity_index, overhangs=index % 2 == 1, at_spawn=at_spawn)
        for index in range(count)
    ]
    return np.frombuffer(b"".join(capsules), np.uint8).reshape(count, CAPSULE_SIZE)


def collect_capsules(count: int, seed: int, speed: Speed = Speed.MED) -> np.ndarray:
    """Collect capsules that have just come in, from sensible play at all levels.

    Returns:
        uint8 (count, 136), in the order of play.
    """
    setups = UniformSetups(levels=tuple(range(21)), speed=speed)
    env = VectorEnv(_GAMES, draw_setup=setups, candidates=_CANDIDATES)
    rng = np.random.default_rng(seed)
    step = env.reset(seed)
    capsules: list[bytes] = []
    while len(capsules) < count:
        for game, seat in np.argwhere(step.due).tolist():
            capsules.append(pack_capsule(env.games.images[game].tobytes(), seat))
        step = env.step(choose_sensibly(env, step, rng))
    env.close()
    return np.frombuffer(b"".join(capsules[:count]), np.uint8).reshape(count, CAPSULE_SIZE)


def choose_sensibly(env: VectorEnv, step: VectorStep, rng: np.random.Generator) -> np.ndarray:
    """Return noisy but sensible actions, int64 (games, 2), by the candidates' features."""
    games = env.games
    weights = np.zeros(games.candidates.shape[-1], np.float32)
    for name, weight in _PLAY_WEIGHTS.items():
        weights[FEATURE_INDEX[name]] = weight
    rows = games.candidates[step.due]
    scores = rows.astype(np.float32) @ weights
    scores += rng.normal(0.0, _PLAY_NOISE, scores.shape).astype(np.float32)
    counts = games.candidate_counts[step.due]
    scores[np.arange(scores.shape[1]) >= counts[:, None]] = -np.inf
    best = scores.argmax(axis=1)
    actions = np.full(step.due.shape, WAIT, np.int64)
    actions[step.due] = games.candidate_poses[step.due][np.arange(len(best)), best]
    return actions


def _craft_field(rng: np.random.Generator, overhangs: bool) -> np.ndarray:
    """Return the tiles of a random stack, uint8 (16, 8)."""
    field = np.full((ROWS, COLUMNS), EMPTY, np.uint8)
    level = int(rng.integers(_HIGHEST_STACK))
    heights = np.clip(level + rng.integers(-2, 3, COLUMNS), 0, ROWS - 1)
    filled = np.arange(ROWS)[:, None] >= ROWS - heights
    if overhangs:
        filled &= rng.random((ROWS, COLUMNS)) < _OVERHANG_FILL
    field[filled] = Tile.VIRUS | rng.integers(NUM_COLOURS, size=int(filled.sum()))
    return field


def _fits(field: np.ndarray, x: int, y: int, rotation: int) -> bool:
    row = ROWS - 1 - y
    if field[row, x] != EMPTY:
        return False
    if is_vertical(rotation):
        return row == 0 or bool(field[row - 1, x] == EMPTY)
    return x + 1 < COLUMNS and bool(field[row, x + 1] == EMPTY)
