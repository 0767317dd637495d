"""Policy texts: the one place where `greedy` or `snapshot:RUN/ID` becomes a `Policy`.

A text is a kind, then what that kind asks for after a colon: `random`, `greedy:action_repeat=4`,
`search:depth=2`, `snapshot:selfplay/latest`. A kind with heavy imports makes them when it is asked
for. Kinds that run somebody's code, `py:module:factory` and `exec:COMMAND`, are for what a user
types and never for what a file of a run says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from league.checks import suggest
from league.errors import LeagueError, StoreError
from league.roles import MAIN
from league.rundir import RunDir
from league.store import Store
from policies.base import Policy
from policies.greedy import GreedyPolicy
from policies.scripted import RANDOM_ACTION_REPEAT, NoopPolicy, RandomPolicy
from policies.search import DEFAULT_DEPTH, DEFAULT_WIDTH, SearchPolicy

_RUNS: Final = Path("runs")
DECISION_SECONDS: Final = 2.0
"""Most time that a program from outside may take for an action, unless the user says otherwise."""


class PlayerError(LeagueError):
    """A policy text that names no policy."""


def load_policy(text: str) -> Policy:
    """Return the policy that `text` names; it comes from this project or from one of its runs.

    Args:
        text: `KIND` or `KIND:DETAILS`; `KINDS` lists the kinds.

    Raises:
        PlayerError: An unknown kind, or details that the kind does not take.
        LeagueError: A snapshot cannot be found or read.
    """
    kind, _, details = text.partition(":")
    if kind in OUTSIDE_KINDS:
        raise PlayerError(
            f"expected a policy of ours ({', '.join(KINDS)}), got {text!r}: policies from outside "
            "are taken from the command line only"
        )
    load = KINDS.get(kind)
    if load is None:
        known = ", ".join(KINDS)
        raise PlayerError(f"expected a policy ({known}), got {text!r}{suggest(kind, KINDS)}")
    return load(details)


def load_any_policy(text: str, *, decision_seconds: float = DECISION_SECONDS) -> Policy:
    """Return the policy that a user names, which may be one from outside.

    Args:
        text: As for `load_policy`, or `py:module:factory`, or `exec:COMMAND`.
        decision_seconds: Most time that a program may take for an action.

    Raises:
        PlayerError: An unknown kind, or details that the kind does not take.
        LeagueError: A policy cannot be found, read or started.
    """
    kind, _, details = text.partition(":")
    load = OUTSIDE_KINDS.get(kind)
    return load_policy(text) if load is None else load(details, decision_seconds)


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
    from league.snapshots import load_snapshot

    if (folder := find_folder(details)) is not None:
        return load_snapshot(folder, name=f"snapshot:{details}")
    run, _, snapshot_id = details.rpartition("/")
    if not run or not snapshot_id:
        raise PlayerError(
            f"expected 'snapshot:RUN/ID' with a number, 'latest' or 'best' for ID, "
            f"got {'snapshot:' + details!r}"
        )
    return load_snapshot(find_snapshot(run, snapshot_id))


def find_folder(details: str) -> Path | None:
    """Return the snapshot folder that `snapshot:DETAILS` names by its path, or None.

    Args:
        details: The path of a folder, such as `league imitate` makes; anything else gives None.
    """
    from league.snapshots import MANIFEST_FILE

    return Path(details) if details and (Path(details) / MANIFEST_FILE).is_file() else None


def _load_champion(details: str) -> Policy:
    from league.champions import find_champion
    from league.snapshots import load_snapshot

    folder = find_champion(details)
    return load_snapshot(folder, name=f"champion:{folder.name}")


def _load_guided_champion(details: str) -> Policy:
    from policies.guided import GuidedPolicy
    from policies.network import NetworkPolicy

    champion = _load_champion(details)
    assert isinstance(champion, NetworkPolicy)
    name = champion.name.replace("champion:", "champion+search:")
    try:
        return GuidedPolicy(champion, name)
    except ValueError as error:
        raise PlayerError(f"{name!r}: {error}") from error


def _load_tree(details: str) -> Policy:
    from policies.distill.artefact import ArtefactError
    from policies.tree import load_tree

    try:
        return load_tree(details)
    except ArtefactError as error:
        raise PlayerError(f"'tree:{details}': {error}") from error


KINDS: Final[dict[str, Callable[[str], Policy]]] = {
    "noop": _load_noop,
    "random": _load_random,
    "greedy": _load_greedy,
    "search": _load_search,
    "snapshot": _load_snapshot,
    "champion": _load_champion,
    "champion+search": _load_guided_champion,
    "tree": _load_tree,
}
"""What stands before the colon, and what loads a policy from what stands after it."""


def _load_python(details: str, decision_seconds: float) -> Policy:
    from league.outside.python import load_python_policy

    return load_python_policy(details)


def _load_command(details: str, decision_seconds: float) -> Policy:
    from league.outside.command import CommandPolicy

    try:
        return CommandPolicy(details, decision_seconds)
    except LeagueError as error:
        raise PlayerError(f"'exec:{details}': the program {error}") from error


OUTSIDE_KINDS: Final[dict[str, Callable[[str, float], Policy]]] = {
    "py": _load_python,
    "exec": _load_command,
}
"""The same for policies that run somebody's code; the number is the time limit of an action."""


def find_weights(text: str) -> Path:
    """Return the folder with the weights that a policy text names.

    Args:
        text: `champion[:NAME]`, `snapshot:RUN/ID`, or `snapshot:DIR` for a folder.

    Raises:
        PlayerError: The text names a policy without weights, or no policy.
        LeagueError: There is no such snapshot or champion.
    """
    kind, _, details = text.partition(":")
    if kind == "champion":
        from league.champions import find_champion

        return find_champion(details)
    if kind == "snapshot" and (folder := find_folder(details)) is not None:
        return folder
    run, _, snapshot_id = details.rpartition("/")
    if kind != "snapshot" or not run:
        raise PlayerError(f"expected 'champion[:NAME]' or 'snapshot:RUN/ID', got {text!r}")
    return find_snapshot(run, snapshot_id)


def find_snapshot(run: str, snapshot_id: str) -> Path:
    """Return the folder of a snapshot.

    Args:
        run: Name of a run under `runs`, or the path of its folder.
        snapshot_id: Its id, `latest` for main's newest, or `best` for main's that stands highest;
            exploiters are found by their ids.

    Raises:
        PlayerError: The run has no such snapshot.
        LeagueError: There is no such run, or its database cannot be read.
    """
    run_dir = open_run(run)
    try:
        with Store(run_dir.database, read_only=True) as store:
            rows = store.snapshots()
            known, mains = [row.id for row in rows], [row.id for row in rows if row.role == MAIN]
            ladder = [row.player for row in store.ratings() if row.player in mains]
    except StoreError:
        # A snapshot is checked by its own digest, so its id finds it without the database too.
        if snapshot_id not in _list_folders(run_dir.snapshots):
            raise
        return run_dir.snapshot(snapshot_id)
    choices = {"latest": mains[-1:], "best": ladder[:1]}
    chosen = choices.get(snapshot_id, [one for one in known if one == snapshot_id])
    if not chosen:
        raise PlayerError(
            f"expected a snapshot of {run!r} ({', '.join(known) or 'none yet'}), 'latest' or "
            f"'best', got {snapshot_id!r}{suggest(snapshot_id, known)}"
        )
    return run_dir.snapshot(chosen[0])


def _list_folders(path: Path) -> list[str]:
    return [one.name for one in path.iterdir()] if path.is_dir() else []


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
