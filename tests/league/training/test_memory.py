"""Freed memory is kept."""

from __future__ import annotations

import subprocess
import sys

import pytest

_COUNT_FAULTS = """
import resource, numpy
from league.training.memory import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
blocks = [numpy.ones(2**21) for _ in range(4)]
del blocks
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    blocks = [numpy.ones(2**21) for _ in range(4)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc alone can be told")
def test_what_is_freed_costs_no_page_faults_when_it_is_asked_for_anew() -> None:
    faults = {}
    for keep in (False, True):
        code = _COUNT_FAULTS.format(keep=keep)
        ran = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        faults[keep] = int(ran.stdout)
    assert faults[True] < faults[False] / 10
