"""`league imitate`: a network that starts from what a search knows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from policies.network.imitation import ImitationReport
    from policies.search import SearchPolicy

_SNAPSHOT_ID: Final = "imitation"
_LEVELS: Final = list(range(11))


def imitate_command(
    teacher: Annotated[str, typer.Argument(help="The search: search:depth=1 ...")],
    out: Annotated[Path, typer.Option(help="New folder for the network.")],
    decisions: Annotated[int, typer.Option(min=1, help="Positions to learn from.")] = 131_072,
    levels: Annotated[list[int], typer.Option(min=0, max=20, help="Virus levels.")] = _LEVELS,
    hidden: Annotated[int, typer.Option(min=1, help="Width of the network.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Fixes games and weights.")] = 0,
) -> None:
    """Teach a new network to place capsules as a search does.

    The folder is a snapshot: play it as `snapshot:DIR`, or begin a run with `run.init=snapshot:DIR`
    and `training.solo=0`.
    """
    from envs.curriculum import Curriculum
    from league.snapshots import choose_view, save_snapshot
    from policies.network import NetworkConfig
    from policies.network.imitation import ImitationConfig, teach_network

    search = _load_teacher(teacher)
    config = NetworkConfig(hidden=hidden)
    starts = Curriculum(tuple(levels), thinned=0.5)
    weights = teach_network(
        config, search, ImitationConfig(decisions=decisions), starts, seed, _report
    )
    save_snapshot(
        out,
        run=_SNAPSHOT_ID,
        snapshot_id=_SNAPSHOT_ID,
        env_steps=decisions,
        network={"kind": config.kind, "hidden": hidden},
        weights=weights,
        view=choose_view(config.kind, 1),
    )
    sys.stdout.write(f"snapshot:{out}\n")


def _load_teacher(text: str) -> SearchPolicy:
    from league.players import PlayerError, load_policy
    from policies.search import SearchPolicy

    teacher = load_policy(text)
    if not isinstance(teacher, SearchPolicy):
        raise PlayerError(f"expected a search to imitate, such as 'search:depth=1', got {text!r}")
    return teacher


def _report(numbers: ImitationReport) -> None:
    sys.stderr.write(
        f"{numbers.decisions:,} positions, loss {numbers.loss:.3f}, "
        f"agreement {numbers.agreement:.1%}\n"
    )
