"""Policy texts: the one place where `greedy` or `snapshot:RUN/ID` becomes a `Policy`.

A text is a kind, then what that kind asks for after a colon: `random`, `greedy:action_repeat=4`,
`search:depth=2`, `snapshot:selfplay/latest`. A kind with heavy imports makes them when it is asked
for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from league.checks import suggest
from league.errors import LeagueError
from league.rundir import RunDir
from league.store import Store
from policies.base import Policy
from policies.greedy import GreedyPolicy
from policies.scripted import RANDOM_ACTION_REPEAT, NoopPolicy, RandomPolicy
from policies.search import DEFAULT_DEPTH, DEFAULT_WIDTH, SearchPolicy

_RUNS: Final = Path("runs")


class PlayerError(LeagueError):
    """A policy text that names no policy."""


def load_policy(text: str) -> Policy:
    """Return the policy that `text` names.

    Args:
        text: `KIND` or `KIND:DETAILS`; `KINDS` lists the kinds.

    Raises:
        PlayerError: An unknown kind, or details that the kind does not take.
        LeagueError: A snapshot cannot be found or read.
    """
    kind, _, details = text.partition(":")
    load = KINDS.get(kind)
    if load is None:
        raise PlayerError(
            f"expected a policy ({', '.join(KINDS)}), got {text!r}{suggest(kind, KINDS)}"
        )
    return load(details)


def _load_noop(details: str) -> Policy:
    _read_integers("noop", details, {})
    return NoopPolicy()


def _load_random(details: str) -> Policy:
    values = _read_integers("random", details, {"action_repeat": RANDOM_ACTION_REPEAT})
    return _check_view(RandomPolicy(values["action_repeat"]))


def _load_greedy(details: str) -> Policy:
    values = _read_integers("greedy", details, {"action_repeat": 1})
    return _check_view(GreedyPolicy(values["action_repeat"]))


def _load_search(details: str) -> Policy:
    values = _read_integers("search", details, {"depth": DEFAULT_DEPTH, "width": DEFAULT_WIDTH})
    try:
        return SearchPolicy(values["depth"], values["width"])
    except ValueError as error:
        raise PlayerError(f"'search:{details}': {error}") from error


def _load_snapshot(details: str) -> Policy:
    run, _, snapshot_id = details.rpartition("/")
    if not run or not snapshot_id:
        raise PlayerError(
            f"expected 'snapshot:RUN/ID' with a number, 'latest' or 'best' for ID, "
            f"got {'snapshot:' + details!r}"
        )
    from league.snapshots import load_snapshot

    return load_snapshot(find_snapshot(run, snapshot_id))


KINDS: Final[dict[str, Callable[[str], Policy]]] = {
    "noop": _load_noop,
    "random": _load_random,
    "greedy": _load_greedy,
    "search": _load_search,
    "snapshot": _load_snapshot,
}
"""What stands before the colon, and what loads a policy from what stands after it."""


def find_snapshot(run: str, snapshot_id: str) -> Path:
    """Return the folder of a snapshot.

    Args:
        run: Name of a run under `runs`, or the path of its folder.
        snapshot_id: Its id, `latest` for the newest, or `best` for the one that leads the
            standings.

    Raises:
        PlayerError: The run has no such snapshot.
        LeagueError: There is no such run, or its database cannot be read.
    """
    run_dir = open_run(run)
    with Store(run_dir.database, read_only=True) as store:
        known = [row.id for row in store.snapshots()]
        ladder = [row.player for row in store.ratings() if row.player in known]
    choices = {"latest": known[-1:], "best": ladder[:1]}
    chosen = choices.get(snapshot_id, [one for one in known if one == snapshot_id])
    if not chosen:
        raise PlayerError(
            f"expected a snapshot of {run!r} ({', '.join(known) or 'none yet'}), 'latest' or "
            f"'best', got {snapshot_id!r}{suggest(snapshot_id, known)}"
        )
    return run_dir.snapshot(chosen[0])


def open_run(run: str) -> RunDir:
    """Return the folder of a run, given by its name under `runs` or by its path.

    Raises:
        RunDirError: There is no run.
    """
    for path in (_RUNS / run, Path(run)):
        if RunDir(path).exists():
            return RunDir(path)
    # Raises, and names the runs that there are.
    return RunDir.open(_RUNS / run)


def _read_integers(kind: str, details: str, defaults: Mapping[str, int]) -> dict[str, int]:
    """Parse `key=value,key=value` with integer values.

    Args:
        kind: Kind of the policy, for the error text.
        details: What stands after the colon; may be empty.
        defaults: The known keys and their values where `details` has none.

    Raises:
        PlayerError: A key that is unknown or given twice, or a value that is no integer.
    """
    values: dict[str, int] = {}
    for item in details.split(",") if details else ():
        key, _, value = item.partition("=")
        if key not in defaults:
            takes = ", ".join(defaults) or "none"
            raise PlayerError(
                f"expected parameters of {kind!r} ({takes}), got {key!r}{suggest(key, defaults)}"
            )
        if key in values or not value.isdecimal():
            raise PlayerError(f"expected {key}=NUMBER once for {kind!r}, got {details!r}")
        values[key] = int(value)
    return {**defaults, **values}


def _check_view(policy: Policy) -> Policy:
    """Return the policy if its parameters make a valid view.

    Raises:
        PlayerError: They do not.
    """
    try:
        _ = policy.view
    except ValueError as error:
        raise PlayerError(f"{policy.name}: {error}") from error
    return policy
