"""D8: every seeded fault of the league core fails a test."""

from __future__ import annotations

import pytest

from tests.league.validation.mutants import MUTANTS, ROOT, Mutant, main


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.fault)
def test_every_fault_still_has_its_place(mutant: Mutant) -> None:
    text = (ROOT / "league" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.old != mutant.new
    for test in mutant.tests:
        file, _, function = test.partition("::")
        source = (ROOT / "tests" / "league" / file).read_text(encoding="utf-8")
        assert f"def {function.partition('[')[0]}" in source


def test_there_are_a_dozen_faults_and_more() -> None:
    assert len({mutant.fault for mutant in MUTANTS}) == len(MUTANTS) >= 12


@pytest.mark.slow
def test_every_fault_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().out
