"""The pool of threads: no data race, and no game left out or run twice."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from league.parity.mutants import SOURCE_FOLDER

HERE = Path(__file__).resolve().parent
CALLS = 500


def test_thread_sanitizer_finds_nothing(tmp_path: Path) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler on the path")
    target = tmp_path / "stress_pool"
    options = ["-std=c++17", "-O1", "-g", "-pthread", "-fsanitize=thread", f"-I{SOURCE_FOLDER}"]
    sources = [HERE / "stress_pool.cpp", SOURCE_FOLDER / "pool.cpp"]
    subprocess.run([compiler, *options, "-o", target, *sources], check=True)
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1"}
    done = subprocess.run(
        [target, str(CALLS)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "every game once\n"
