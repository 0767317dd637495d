"""Range checks that are declared on dataclass fields and report every problem at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Protocol

_METADATA_KEY = "check"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a record."""

    keys: tuple[str, ...]
    """Fields involved, dotted from the record; the first one is blamed."""
    text: str
    """What was expected, what came, what to do."""

    def __str__(self) -> str:
        return f"{self.keys[0]}: {self.text}"


class RecordError(ValueError):
    """All impossible values of one record."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


class Check(Protocol):
    """A test of one value."""

    def describe_fault(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """A finite number between two ends; `above` excludes its end."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None

    def describe_fault(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        inside = (
            math.isfinite(value)
            and (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
        )
        return None if inside else f"expected a number {self._describe()}, got {value!r}"

    def _describe(self) -> str:
        parts = ((">=", self.at_least), (">", self.above), ("<=", self.at_most))
        return " and ".join(f"{sign} {end:g}" for sign, end in parts if end is not None)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a list of names."""

    names: tuple[str, ...]

    def describe_fault(self, value: Any) -> str | None:
        """Return what is wrong with `value`, or None."""
        if value in self.names:
            return None
        return f"expected one of {', '.join(self.names)}, got {value!r}" + suggest(
            value, self.names
        )


def checked(default: Any, check: Check) -> Any:
    """Return a dataclass field whose value, or each item of whose tuple, must pass `check`."""
    return field(default=default, metadata={_METADATA_KEY: check})


def bounded(
    default: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
) -> Any:
    """Return a dataclass field for a finite number, or a tuple of them, within bounds."""
    return checked(default, Bounds(at_least=at_least, above=above, at_most=at_most))


def find_problems(record: Any) -> Iterator[Problem]:
    """Yield a problem for every field of a dataclass whose declared check fails."""
    for entry in fields(record):
        check: Check | None = entry.metadata.get(_METADATA_KEY)
        value = getattr(record, entry.name)
        if check is None or value is None:
            continue
        for item in value if isinstance(value, tuple) else (value,):
            fault = check.describe_fault(item)
            if fault is not None:
                yield Problem((entry.name,), fault)


def require(problems: Iterable[Problem]) -> None:
    """Raise `RecordError` if there is any problem.

    Raises:
        RecordError: With all of them.
    """
    found = tuple(problems)
    if found:
        raise RecordError(found)


def suggest(name: object, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest known spelling, or an empty string."""
    matches = get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""
