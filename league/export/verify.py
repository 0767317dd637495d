"""`league export --verify DIR`: whether an exported folder is what it says it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from league.errors import LeagueError
from league.export.export import ASSEMBLY_FILE, HEADER_FILE, PAGE_FILE, name_cartridge
from policies.distill.artefact import ArtefactError, read_artefact
from policies.distill.tree import Node, encode_page
from policies.export.assembly import render_assembly
from policies.export.c_header import render_header
from policies.export.cartridge import AI_BYTES_LIMIT, measure_parts, write_cartridge
from policies.export.processor import CYCLE_LIMIT
from policies.export.verify import Agreement, compare_all, list_failures

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found out about a folder."""

    agreements: tuple[Agreement, ...]
    parts: dict[str, int]
    """Bytes of the CPU opponent by part."""
    skipped: tuple[str, ...]
    """What could not be compared here, and why."""
    failures: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "agreements": [
                {"name": one.name, "compared": one.compared, "mismatches": one.mismatches}
                | {name.replace(" ", "_"): value for name, value in one.facts.items()}
                for one in self.agreements
            ],
            "parts": self.parts,
            "skipped": list(self.skipped),
            "failures": list(self.failures),
        }


def verify_folder(folder: Path, seed: int, report: Report) -> Verification:
    """Compare the files of an export with each other, and the tree with every way to play it.

    Args:
        folder: As `league export` wrote it.
        seed: Draws vectors, bottles and rounds.
        report: Called with lines of progress.

    Raises:
        LeagueError: `tree.json` is missing, changed, or of another version.
    """
    try:
        artefact = read_artefact(folder)
    except ArtefactError as error:
        raise LeagueError(str(error)) from error
    tree = artefact.tree
    failures = _compare_files(folder, tree, artefact.policy)
    agreements, skipped = compare_all(tree, seed)
    parts = measure_parts()
    if sum(parts.values()) > AI_BYTES_LIMIT:
        failures.append(f"the CPU opponent takes {sum(parts.values())} of {AI_BYTES_LIMIT} bytes")
    failures += list_failures(agreements, CYCLE_LIMIT)
    for line in (*(one.describe() for one in agreements), *skipped):
        report(line)
    report(f"bytes of the CPU opponent: {sum(parts.values())} of {AI_BYTES_LIMIT}: {parts}")
    return Verification(tuple(agreements), parts, tuple(skipped), tuple(failures))


def _compare_files(folder: Path, tree: Node, policy: str) -> list[str]:
    """Return which files are not those of the tree."""
    page = encode_page(tree)
    expected = {
        PAGE_FILE: page,
        ASSEMBLY_FILE: render_assembly(tree, policy).encode(),
        HEADER_FILE: render_header(tree, policy).encode(),
        name_cartridge(policy): write_cartridge(page),
    }
    failures = []
    for name, data in expected.items():
        path = folder / name
        if not path.is_file():
            failures.append(f"{name} is missing")
        elif path.read_bytes() != data:
            failures.append(f"{name} is not what tree.json makes of it")
    return failures
