"""What the learning module asks of the processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from league.training.module import has_bfloat16

_CPUINFO = Path("/proc/cpuinfo")


@pytest.mark.skipif(not _CPUINFO.exists(), reason="needs Linux to tell what the processor has")
def test_bfloat16_is_used_only_where_the_processor_has_it() -> None:
    # oneDNN says yes wherever it can emulate it, which is slower than float32.
    words = set(_CPUINFO.read_text().split())
    assert has_bfloat16("cpu") == bool(words & {"avx512_bf16", "amx_bf16", "bf16"})
