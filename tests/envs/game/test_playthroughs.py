"""The golden playthroughs, frame by frame on everything that runs the game."""

from __future__ import annotations

import pytest

from tests.game_drivers import Machine, ReferenceMachine
from tests.playthrough_scenarios import SCENARIOS, record_playthrough
from tests.playthroughs import golden_path, list_names, parse_playthrough, render_playthrough

MAX_BYTES = 100_000
TOLD = (
    "locks capsule",
    "clears 1 line",
    "clears 2 lines",
    "takes garbage, columns 1, 3, 5, 7",
    "takes garbage, columns 0, 4",
    "tops out",
    "pause",
    "49 speed-ups",
    "mode PLAY, phase 1",
    "mode TOP_OUT, phase 0",
    "mode END, phase 0",
    "'D'R'A'W",
)
"""What the playthroughs together must show."""


@pytest.fixture(params=SCENARIOS)
def name(request: pytest.FixtureRequest, update_golden: bool) -> str:
    """A playthrough; with `--update-golden` it is recorded anew first."""
    name = str(request.param)
    if update_golden:
        text = render_playthrough(record_playthrough(name), ReferenceMachine())
        golden_path(name).write_text(text, encoding="ascii")
    return name


def test_a_playthrough_goes_as_written(machine: Machine, name: str) -> None:
    text = golden_path(name).read_text(encoding="ascii")
    replayed = render_playthrough(parse_playthrough(text), machine)
    # Line by line: the first difference is the one that matters.
    for number, (expected, got) in enumerate(
        zip(text.splitlines(), replayed.splitlines(), strict=False), 1
    ):
        assert got == expected, f"line {number} of {golden_path(name).name}"
    assert replayed == text


def test_every_file_is_a_scenario_and_short() -> None:
    assert list_names() == sorted(SCENARIOS)
    assert all(golden_path(name).stat().st_size <= MAX_BYTES for name in list_names())


@pytest.mark.parametrize("event", TOLD)
def test_together_they_tell_the_whole_game(event: str) -> None:
    assert any(event in golden_path(name).read_text(encoding="ascii") for name in list_names())
