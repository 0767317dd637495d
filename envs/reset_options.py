"""The options of `reset`: checked, completed, and turned into what a round is started from."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from envs.game.layout import NUM_SEATS, Speed
from envs.game.setup import BOOT_WORD, NUM_SEEDS, RoundSetup, seed_to_word

PLACEHOLDER_KEY: Final = "options"
"""PettingZoo's own tests send this key, so it is ignored; it is the only one."""


@dataclass(frozen=True, slots=True)
class ResetOptions:
    """Options of one `reset`; None stands for "as the env was made" or "not given"."""

    levels: tuple[int, int] | None = None
    """Virus level 0..20 of each seat."""
    speeds: tuple[Speed, Speed] | None = None
    rng_word: int | None = None
    """RNG word, 2..65535, before `frame_offset` is applied."""
    savestate: bytes | None = None
    """Savestate to start from as it is; excludes every other option."""
    frame_offset: int = 0
    """Option frames waited before set-up."""
    randomize_rng: bool | None = None
    """True: draw the RNG word from the env's stream even when a seed is given. False: without a
    seed use the word that the console has at power-on."""
    solo: bool | None = None

    @classmethod
    def parse(cls, options: Mapping[str, Any] | None) -> ResetOptions:
        """Check the `options` of `reset`.

        Levels and speeds may be one value for both seats, speeds may be names; `savestate` may be
        bytes or the path of a file.

        Raises:
            ValueError: A key is unknown (names the nearest known one) or a value is impossible.
        """
        given = {key: value for key, value in (options or {}).items() if key != PLACEHOLDER_KEY}
        for key in given:
            _check_key(key)
        given = {key: value for key, value in given.items() if value is not None}
        if "savestate" in given and len(given) > 1:
            others = ", ".join(sorted(given.keys() - {"savestate"}))
            raise ValueError(f"expected the option savestate alone, got also {others}: drop one")
        if given.get("randomize_rng") and "rng_word" in given:
            raise ValueError("expected rng_word or randomize_rng=True, got both: drop one")
        parsed = {key: _PARSERS[key](value) for key, value in given.items()}
        return cls(**parsed)

    def make_setup(
        self, defaults: RoundSetup, seed: int | None, stream: np.random.Generator
    ) -> RoundSetup:
        """Return the set-up of the round to start; draws from `stream` only if it must.

        Args:
            defaults: Levels, speeds and solo of the env.
            seed: Seed given to `reset`.
            stream: The env's own stream.

        Raises:
            ValueError: A value is out of range.
        """
        return RoundSetup(
            levels=defaults.levels if self.levels is None else self.levels,
            speeds=defaults.speeds if self.speeds is None else self.speeds,
            rng_word=self._choose_word(seed, stream),
            frame_offset=self.frame_offset,
            solo=defaults.solo if self.solo is None else self.solo,
        )

    def _choose_word(self, seed: int | None, stream: np.random.Generator) -> int:
        if self.rng_word is not None:
            return self.rng_word
        if seed is not None and seed < NUM_SEEDS and not self.randomize_rng:
            return seed_to_word(seed)
        if seed is None and self.randomize_rng is False:
            return BOOT_WORD
        return seed_to_word(int(stream.integers(NUM_SEEDS)))


def parse_levels(value: Any) -> tuple[int, int]:
    """Return one level per seat from a level or a pair; ranges are checked by `RoundSetup`."""
    first, second = _pair("levels", value)
    return first, second


def parse_speeds(value: Any) -> tuple[Speed, Speed]:
    """Return one speed per seat from a speed or a pair; each a name or a number 0..2.

    Raises:
        ValueError: There is no such speed.
    """
    first, second = _pair("speeds", value)
    return _parse_speed(first), _parse_speed(second)


def _parse_speed(value: Any) -> Speed:
    names = {speed.name: speed for speed in Speed}
    if isinstance(value, str) and value.upper() in names:
        return names[value.upper()]
    if not isinstance(value, (str, bool)) and value in list(Speed):
        return Speed(value)
    raise ValueError(f"expected a speed out of {', '.join(names)}, got {value!r}")


def _pair(name: str, value: Any) -> tuple[Any, Any]:
    """Return `value` for both seats, or the pair that it is."""
    if isinstance(value, (list, tuple, np.ndarray)):
        if len(value) != NUM_SEATS:
            raise ValueError(f"expected {name} to be one value or a pair, got {value!r}")
        return value[0], value[1]
    return value, value


def _parse_savestate(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, (str, Path)):
        return Path(value).read_bytes()
    raise ValueError(f"expected savestate to be bytes or a path, got {type(value).__name__}")


def _parse_bool(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ValueError(f"expected True or False, got {value!r}")


def _parse_int(value: Any) -> int:
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    raise ValueError(f"expected an integer, got {value!r}")


_PARSERS: Final[dict[str, Callable[[Any], Any]]] = {
    "levels": parse_levels,
    "speeds": parse_speeds,
    "rng_word": _parse_int,
    "savestate": _parse_savestate,
    "frame_offset": _parse_int,
    "randomize_rng": _parse_bool,
    "solo": _parse_bool,
}
RESET_KEYS: Final = tuple(field.name for field in fields(ResetOptions))
"""Every key that `reset(options=...)` takes."""


def _check_key(key: str) -> None:
    if key in RESET_KEYS:
        return
    nearest = difflib.get_close_matches(str(key), RESET_KEYS, n=1, cutoff=0.0)[0]
    raise ValueError(
        f"expected reset options out of {', '.join(RESET_KEYS)}, got {key!r}; "
        f"did you mean {nearest!r}?"
    )
