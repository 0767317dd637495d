"""The door's lines: a JSON object in, a JSON object out, on the engine that the user names.

The verbs themselves are in `envs.game.door`; here are the engines and the text around them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from envs.backends.image_backend import ImageBackend
from envs.game.capsule import SPAWN_X, SPAWN_Y
from envs.game.door import (
    FindPoses,
    list_poses,
    release_garbage,
    set_up_round,
    settle_capsule,
)
from envs.game.door_requests import Json, ReachRequest
from league.errors import LeagueError

EngineName = Literal["reference", "simulator"]
VerbName = Literal["setup", "settle", "garbage", "reach"]


class DoorError(LeagueError):
    """A line that the door cannot answer."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One implementation of the rules."""

    machine: ImageBackend
    find_poses: FindPoses


def open_engine(name: EngineName) -> Engine:
    """Return the engine `name`.

    Raises:
        BackendError: The simulator was not built.
    """
    return _ENGINES[name]()


def answer_lines(verb: VerbName, engine: Engine, lines: Iterable[str]) -> Iterator[str]:
    """Yield the answer to each line of JSON as a line of JSON; blank lines are passed over.

    Args:
        verb: What every line asks.
        engine: Who answers.
        lines: One JSON object each.

    Raises:
        DoorError: A line is no JSON object, or asks what cannot be; names the line.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            answer = _VERBS[verb](_decode_object(line), engine)
        except ValueError as error:
            raise DoorError(f"line {number}: {error}") from error
        yield json.dumps(answer)


def _decode_object(line: str) -> Json:
    try:
        value = json.loads(line, object_pairs_hook=_refuse_repeats)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"expected a JSON object, got {line.strip()!r}: {error.msg} at character {error.pos}"
        ) from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, got {line.strip()!r}")
    return value


def _refuse_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"expected every key once, got {repeated!r} twice")
    return values


def _open_reference() -> Engine:
    from envs.backends.reference import ReferenceBackend
    from envs.game.reach import find_lockable_poses

    def find_poses(asked: ReachRequest) -> np.ndarray:
        return find_lockable_poses(asked.field, asked.speed_index, asked.frame_counter)

    return Engine(ReferenceBackend(rendering=False), find_poses)


def _open_simulator() -> Engine:
    from envs.backends.planner import plan_capsule
    from envs.backends.simulator import SimulatorBackend

    def find_poses(asked: ReachRequest) -> np.ndarray:
        return plan_capsule(_pack_spawn(asked))

    return Engine(SimulatorBackend(rendering=False), find_poses)


def _pack_spawn(asked: ReachRequest) -> bytes:
    """Return a capsule at its spawn as `envs.game.placement.pack_capsule` lays it out."""
    rotation = gravity_counter = das_counter = held = 0
    return asked.field + bytes(
        (
            SPAWN_X,
            SPAWN_Y,
            rotation,
            gravity_counter,
            asked.speed_index,
            das_counter,
            held,
            asked.frame_counter,
        )
    )


_ENGINES: Final[dict[EngineName, Callable[[], Engine]]] = {
    "reference": _open_reference,
    "simulator": _open_simulator,
}
_VERBS: Final[dict[VerbName, Callable[[Json, Engine], dict[str, object]]]] = {
    "setup": lambda request, engine: set_up_round(request, engine.machine),
    "settle": lambda request, engine: settle_capsule(request, engine.machine),
    "garbage": lambda request, engine: release_garbage(request, engine.machine),
    "reach": lambda request, engine: list_poses(request, engine.find_poses),
}
