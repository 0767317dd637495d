"""`league export`: from a policy to a folder with its tree, the proof and a cartridge.

Everything is made first and written last, into a folder of its own that then takes its name: an
export is whole or not there. The same policy, configuration and seed give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from envs.backends.base import BackendError
from league.errors import LeagueError
from league.export.folder import check_target, write_folder
from league.export.gates import GAMES, Gate, measure_against_teacher, measure_gates
from league.export.sizes import choose_size, list_sizes, measure_size
from league.rng import make_rng
from policies.base import Policy
from policies.distill.artefact import TREE_FILE, Artefact
from policies.distill.dagger import DistillConfig, Distilled, distill
from policies.distill.spec import MAX_LEAVES
from policies.distill.teacher import make_teacher
from policies.distill.tree import Node, encode_page
from policies.distill.tune import MATCH_TUNING, Goal, TuneConfig
from policies.export.assembly import render_assembly
from policies.export.c_header import render_header
from policies.export.cartridge import measure_parts, write_cartridge
from policies.export.patches import PatchError, make_bps, make_ips, patch_rom, read_map
from policies.export.report import ReportFacts, render_report
from policies.export.samples import draw_samples
from policies.export.verify import Agreement, compare_all, list_delays

PAGE_FILE: Final = "tree.bin"
ASSEMBLY_FILE: Final = "tree.s"
HEADER_FILE: Final = "tree.h"
REPORT_FILE: Final = "report.html"
QUICK_GAMES: Final = 50
_QUICK_POSITIONS: Final = 5_000
_QUICK_ITERATIONS: Final = 3
_QUICK_RANKING: Final = 100
_QUICK_DECISIONS: Final = 100
_TEACHER_LEVEL: Final = 5

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExportConfig:
    """How a policy is exported."""

    tune: Goal = "solo"
    leaves: int | None = None
    """Leaves of the tree; None tries several and takes the smallest that is as good as any."""
    budget_bytes: int | None = None
    """Most bytes of tree and walker; None allows a whole page of tree."""
    seed: int = 0
    games: int = GAMES
    """Games of each gate."""
    is_quick: bool = False
    """64 leaves, nothing tuned, no size table, few games: what ends a run."""
    threads: int = 2
    rom: Path | None = None
    """The user's own ROM, for patches; needs `rom_map`."""
    rom_map: Path | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """What an export made."""

    folder: Path
    gates: Sequence[Gate]
    agreements: Sequence[Agreement]

    @property
    def failures(self) -> list[str]:
        """What failed, one line each."""
        gates = [gate.describe() for gate in self.gates if not gate.is_passed]
        return gates + [one.describe() for one in self.agreements if not one.is_exact]


def make_quick_config(seed: int = 0) -> ExportConfig:
    """Return the configuration that a run ends with."""
    return ExportConfig("none", MAX_LEAVES, seed=seed, games=QUICK_GAMES, is_quick=True)


def export_policy(
    policy: Policy, text: str, folder: Path, config: ExportConfig, report: Report
) -> Export:
    """Distil a policy, measure the tree, and write the folder.

    Args:
        policy: Whom to distil.
        text: The text that names it.
        folder: Where to write; an export that lies there is replaced.
        config: How.
        report: Called with lines of progress.

    Raises:
        LeagueError: The budget is too small, the folder cannot be written, or a patch was asked
            for and is refused.
        ValueError: The policy's view cannot be served.
    """
    sizes = list_sizes(config.leaves, config.budget_bytes)
    check_target(folder)
    patch = _prepare_patch(config)
    teacher = make_teacher(policy, make_rng(config.seed, "export/teacher"))
    settings = make_distill_config(config, sizes)
    found = distill(teacher, settings, report)
    chosen = _choose(found, config)
    rows = [] if config.is_quick else _measure_sizes(found, config, report)
    report(f"measuring the gates of the tree of {chosen.leaves} leaves")
    gates = measure_gates(chosen.tuned, policy, config.seed, config.games, config.threads, report)
    notes = _measure_notes(chosen, policy, config)
    agreements, skipped = _verify(chosen.tuned, config, report)
    artefact = Artefact(
        chosen.tuned,
        text,
        config.seed,
        settings=_plain_settings(settings),
        measures={"gates": [gate.to_plain() for gate in gates], "sizes": rows, "notes": notes},
    )
    proofs = [*(one.describe() for one in agreements), *skipped]
    files = render_files(artefact, proofs, list_delays(agreements))
    if patch is not None:
        files |= patch(encode_page(chosen.tuned))
    write_folder(folder, files)
    return Export(folder, gates, agreements)


def export_at_end(
    policy: Policy, text: str, folder: Path, seed: int, report: Report
) -> Export | None:
    """Export what a run ends with, quickly; whatever goes wrong is reported and ends nothing.

    Args:
        policy: The run's champion.
        text: The text that names it.
        folder: Where to write.
        seed: Fixes every byte.
        report: Called with lines of progress, of gates, and of why there is no export.

    Returns:
        What was made; None where it could not be.
    """
    try:
        export = export_policy(policy, text, folder, make_quick_config(seed), report)
    except (LeagueError, ValueError, BackendError) as error:
        report(f"no export of {text}: {error}")
        return None
    for line in export.failures:
        report(f"export of {text}: {line}")
    return export


def make_distill_config(config: ExportConfig, sizes: tuple[int, ...]) -> DistillConfig:
    """Return how the policy is distilled."""
    settings = DistillConfig(
        seed=config.seed,
        sizes=sizes,
        tune=MATCH_TUNING if config.tune == "match" else TuneConfig(config.tune),
        threads=config.threads,
    )
    if not config.is_quick:
        return settings
    return replace(
        settings,
        iterations=_QUICK_ITERATIONS,
        positions=_QUICK_POSITIONS,
        ranking_games=_QUICK_RANKING,
    )


def render_files(
    artefact: Artefact, proofs: Sequence[str], delays: Mapping[int, int]
) -> dict[str, bytes]:
    """Return every file of an export by name.

    Args:
        artefact: The tree and what was measured of it.
        proofs: Lines of what was verified.
        delays: Decisions by frames of delay, if they were logged.
    """
    tree, policy = artefact.tree, artefact.policy
    page = encode_page(tree)
    measures = artefact.measures
    facts = ReportFacts(
        policy=policy,
        tree=tree,
        seed=artefact.seed,
        sizes=measures["sizes"],
        gates=measures["gates"],
        notes=[*measures["notes"], *proofs],
        parts=measure_parts(),
        delays=delays,
        samples=draw_samples(tree, make_rng(artefact.seed, "export/samples")),
    )
    return {
        TREE_FILE: artefact.to_json().encode(),
        PAGE_FILE: page,
        ASSEMBLY_FILE: render_assembly(tree, policy).encode(),
        HEADER_FILE: render_header(tree, policy).encode(),
        name_cartridge(policy): write_cartridge(page),
        REPORT_FILE: render_report(facts).encode(),
    }


def name_cartridge(policy: str) -> str:
    """Return the file name of a policy's cartridge."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in policy)
    return f"pill-duel-{'-'.join(part for part in plain.split('-') if part)}.nes"


def _choose(found: Sequence[Distilled], config: ExportConfig) -> Distilled:
    if len(found) == 1:
        return found[0]
    return choose_size(found, config.seed, config.games, config.threads)


def _measure_sizes(
    found: Sequence[Distilled], config: ExportConfig, report: Report
) -> list[dict[str, Any]]:
    """Return the size-strength table, untuned and tuned rows."""
    rows = []
    for one in found:
        kinds = {"none": one.untuned} | ({} if config.tune == "none" else {config.tune: one.tuned})
        for goal, tree in kinds.items():
            row = measure_size(tree, config.seed, config.games, config.threads)
            rows.append({"leaves": one.leaves, "tuned": goal, **row})
            report(f"size table: {one.leaves} leaves, tuned: {goal}")
    return rows


def _measure_notes(chosen: Distilled, policy: Policy, config: ExportConfig) -> list[str]:
    score = measure_against_teacher(
        chosen.tuned, policy, _TEACHER_LEVEL, config.seed, min(config.games, 200), config.threads
    )
    return [
        f"agreement with the teacher {chosen.agreement:.3f} (reported, never gated)",
        f"score against the teacher, level {_TEACHER_LEVEL}: {score.share:.3f} "
        f"({score.lower:.3f}..{score.upper:.3f}) in {score.games} games (reported, never gated)",
        f"grown from the positions of DAgger iteration {chosen.iteration}",
    ]


def _verify(tree: Node, config: ExportConfig, report: Report) -> tuple[list[Agreement], list[str]]:
    """Compare the tree everywhere; quickly, the emulator is left out."""
    if config.is_quick:
        agreements, skipped = compare_all(tree, config.seed, decisions=_QUICK_DECISIONS, logged=0)
    else:
        agreements, skipped = compare_all(tree, config.seed)
    for line in (*(one.describe() for one in agreements), *skipped):
        report(line)
    return agreements, skipped


def _prepare_patch(config: ExportConfig) -> Callable[[bytes], dict[str, bytes]] | None:
    """Check the user's ROM before any work; return what makes the patches of a page."""
    if config.rom is None and config.rom_map is None:
        return None
    if config.rom is None or config.rom_map is None:
        raise LeagueError("expected --rom and --map together, got one alone; a patch needs both")
    try:
        rom, where = config.rom.read_bytes(), read_map(config.rom_map)
        # A page of nothing tells already whether ROM and map belong together.
        patch_rom(rom, where, where.expected)
    except (OSError, PatchError) as error:
        raise LeagueError(f"no patch for {config.rom}: {error}") from error

    def make(page: bytes) -> dict[str, bytes]:
        target = patch_rom(rom, where, page)
        return {"patch.ips": make_ips(rom, target), "patch.bps": make_bps(rom, target)}

    return make


def _plain_settings(settings: DistillConfig) -> dict[str, Any]:
    """Return the settings that decide the bytes; threads do not."""
    plain = asdict(settings)
    del plain["threads"], plain["seed"]
    plain["sizes"] = list(plain["sizes"])
    return plain
