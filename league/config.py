"""Loads, merges and validates run configurations with OmegaConf, reporting every problem at once.

OmegaConf stops at the first error; this reader asks it about one value at a time. What can be set
is in `league.settings`; the reader knows nothing of what the fields mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from league.checks import Problem, RecordError, suggest
from league.errors import ConfigError
from league.settings import RunConfig

Record = TypeVar("Record")
Key = tuple[str, ...]

_NO_INTERPOLATION: Final = (
    "interpolation is refused, because a resolver such as ${oc.env:...} would write secrets into "
    "the run folder and the logs; write the value itself"
)


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a YAML file of overrides, apply `key.sub=value` texts, and validate.

    Args:
        path: YAML file; keys that it does not name keep their defaults.
        overrides: Texts such as `training.gamma=0.99`, later ones winning.

    Returns:
        The validated configuration.

    Raises:
        ConfigError: With every problem found: unreadable file, unknown keys with the nearest
            valid one, wrong types, impossible values, `${...}` anywhere.
    """
    return read_record(RunConfig, path, overrides)


def render_config(config: RunConfig) -> str:
    """Return the resolved configuration as plain YAML that `load_config` reads back."""
    return str(OmegaConf.to_yaml(OmegaConf.create(asdict(config))))


def list_changes(stored: RunConfig, current: RunConfig) -> list[str]:
    """Return one line per key whose value differs, e.g. `training.gamma: 0.99 -> 0.995`."""
    before, after = _flatten(asdict(stored)), _flatten(asdict(current))
    return [f"{key}: {before[key]} -> {after[key]}" for key in before if before[key] != after[key]]


def _flatten(tree: dict[str, object], prefix: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def read_record(record_type: type[Record], path: Path, overrides: Sequence[str]) -> Record:
    """Return the dataclass described by a YAML file and overrides on top of it.

    Raises:
        ConfigError: With every problem found.
    """
    problems: list[Problem] = []
    tree = _load_tree(path)
    for text in overrides:
        _apply_override(tree, text, problems)
    values = dict(_check_keys(record_type, tree, problems))
    typed = _check_types(record_type, values, problems)
    record = _build(record_type(), typed, (), problems)
    if problems:
        raise ConfigError(str(path), [str(problem) for problem in problems])
    return record


def _load_tree(path: Path) -> dict[str, Any]:
    """Parse the file; interpolations stay text."""
    try:
        tree = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except OSError as error:
        raise ConfigError(str(path), [f"cannot be read: {error.strerror or error}"]) from error
    except (YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise ConfigError(str(path), [f"expected YAML without duplicate keys: {text}"]) from error
    if not isinstance(tree, dict):
        raise ConfigError(str(path), [f"expected a mapping of blocks, got {type(tree).__name__}"])
    return {str(key): value for key, value in tree.items()}


def _apply_override(tree: dict[str, Any], text: str, problems: list[Problem]) -> None:
    name, separator, value = text.partition("=")
    if not separator or not all(name.split(".")):
        problems.append(Problem((text,), "expected an override of the form key.sub=value"))
        return
    *parents, last = name.split(".")
    node = tree
    for parent in parents:
        child = node.get(parent)
        if not isinstance(child, dict):
            child = node[parent] = {}
        node = child
    try:
        parsed = OmegaConf.to_container(OmegaConf.from_dotlist([f"value={value}"]), resolve=False)
    except (YAMLError, OmegaConfBaseException):
        problems.append(Problem((name,), f"expected a YAML value, got {value!r}"))
        return
    assert isinstance(parsed, dict)
    node[last] = parsed["value"]


def _check_keys(
    record_type: type, tree: dict[str, Any], problems: list[Problem]
) -> Iterator[tuple[Key, Any]]:
    """Yield the leaves whose key exists; complain about the others."""
    valid = list(_leaf_keys(record_type))
    blocks = {key[:depth] for key in valid for depth in range(1, len(key))}
    names = sorted({".".join(key) for key in (*valid, *blocks)})
    for key, value in _leaves(tree, (), blocks):
        if _has_interpolation(value):
            fault = _NO_INTERPOLATION
        elif key in blocks:
            fault = f"expected a block of keys, got {value!r}"
        elif key not in valid:
            fault = "unknown key" + _nearest(key, names)
        else:
            yield key, value
            continue
        problems.append(Problem((".".join(key),), fault))


def _nearest(key: Key, names: Sequence[str]) -> str:
    """Suggest the same name in another block, else the nearest spelling of the whole path."""
    for name in names:
        if name.rpartition(".")[2] == key[-1]:
            return f"; did you mean {name!r}?"
    return suggest(".".join(key), names)


def _leaf_keys(record_type: type, prefix: Key = ()) -> Iterator[Key]:
    hints = get_type_hints(record_type)
    for entry in fields(record_type):
        key = (*prefix, entry.name)
        if is_dataclass(hints[entry.name]):
            yield from _leaf_keys(hints[entry.name], key)
        else:
            yield key


def _leaves(tree: dict[str, Any], prefix: Key, blocks: set[Key]) -> Iterator[tuple[Key, Any]]:
    """Yield values, entering only blocks that exist, so an unknown block is one complaint."""
    for name, value in tree.items():
        key = (*prefix, str(name))
        if isinstance(value, dict) and key in blocks:
            yield from _leaves(value, key, blocks)
        else:
            yield key, value


def _has_interpolation(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_interpolation, (*value.keys(), *value.values())))
    if isinstance(value, list):
        return any(map(_has_interpolation, value))
    return isinstance(value, str) and "${" in value


def _check_types(
    record_type: type, values: dict[Key, Any], problems: list[Problem]
) -> dict[Key, Any]:
    """Return the values converted to their declared types; complain where that fails."""
    schema = OmegaConf.structured(record_type)
    typed: dict[Key, Any] = {}
    for key, value in values.items():
        name = ".".join(key)
        nested: Any = value
        for part in reversed(key):
            nested = {part: nested}
        try:
            if value == MISSING:
                raise ValueError("the mark for a missing value")
            typed[key] = _freeze(OmegaConf.select(OmegaConf.merge(schema, nested), name))
        except (OmegaConfBaseException, ValueError, TypeError):
            expected = _describe_type(record_type, key)
            problems.append(Problem((name,), f"expected {expected}, got {value!r}"))
    return typed


def _freeze(value: Any) -> Any:
    return tuple(value) if OmegaConf.is_config(value) else value


def _describe_type(record_type: type, key: Key) -> str:
    for part in key[:-1]:
        record_type = get_type_hints(record_type)[part]
    hint = get_type_hints(record_type)[key[-1]]
    text = next(str(entry.type) for entry in fields(record_type) if entry.name == key[-1])
    enums = [item for item in (hint, *getattr(hint, "__args__", ())) if _is_enum(item)]
    return f"{text} ({', '.join(enums[0].__members__)})" if enums else text


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)


def _build(default: Record, typed: dict[Key, Any], prefix: Key, problems: list[Problem]) -> Record:
    """Return a block with the values set; bad ones are complained about and left out.

    Args:
        default: The block as it is where nothing is set; two blocks of a kind may differ in it.
        typed: Values by key.
        prefix: Key of the block.
        problems: Takes the complaints.
    """
    arguments: dict[str, Any] = {}
    for entry in fields(default):  # type: ignore[arg-type]
        key, value = (*prefix, entry.name), getattr(default, entry.name)
        if is_dataclass(value) and not isinstance(value, type):
            arguments[entry.name] = _build(value, typed, key, problems)
        elif key in typed:
            arguments[entry.name] = typed[key]
    try:
        return replace(default, **arguments)  # type: ignore[type-var]
    except RecordError as error:
        problems.extend(_relevant(error, prefix, problems))
        bad = {key.partition(".")[0] for problem in error.problems for key in problem.keys}
    except ValueError as error:
        problems.append(Problem((".".join(prefix),), str(error)))
        bad = set(arguments)
    # Go on with defaults in place of the bad values, to find the problems of the blocks around.
    kept = {name: value for name, value in arguments.items() if name not in bad}
    try:
        return replace(default, **kept)  # type: ignore[type-var]
    except ValueError:
        # What was left out was needed by something that stayed.
        return default


def _relevant(error: RecordError, prefix: Key, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Drop complaints about a field that stands at its default because its value was bad."""
    blamed = {key for problem in problems for key in problem.keys}
    for problem in error.problems:
        keys = tuple(".".join((*prefix, key)) for key in problem.keys)
        if blamed.isdisjoint(keys):
            yield Problem(keys, problem.text)
