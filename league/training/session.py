"""Ray on one machine, started quietly and stopped for certain."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OBJECT_STORE_BYTES: Final = 300 * 2**20
"""Room for the sampled episodes of an iteration and a few sets of weights."""

_RAY_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    # Without it every start explains a coming change for machines with GPUs.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Of workers; learners else tell of their process group, and of RLlib's own deprecations.
    "RAY_LOGGER_LEVEL": "error",
    # Ray starts workers 15 nicer than the driver, and learning would wait for a starved runner.
    "RAY_worker_niceness": "0",
}


@contextmanager
def ray_session(num_cpus: int, threads: int) -> Iterator[None]:
    """Start Ray for the body of the `with` statement, or use the session that already runs.

    Token authentication stays at Ray's default (on); the dashboard and usage statistics are off.
    Ray installs its own SIGTERM handler: install yours inside the body.

    Args:
        num_cpus: Logical CPUs to announce; one per actor and one for this process. They may
            exceed the real ones.
        threads: Threads of numerical libraries in each worker process.
    """
    _prepare_environment(threads)
    import ray

    quiet_ray()
    if ray.is_initialized():
        yield
        return
    ray.init(
        num_cpus=num_cpus,
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=True,
        object_store_memory=OBJECT_STORE_BYTES,
    )
    try:
        yield
    finally:
        ray.shutdown()


def quiet_ray() -> None:
    """Let Ray log errors only, in this process."""
    for name in ("ray", "ray.rllib", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _prepare_environment(threads: int) -> None:
    """Set what worker processes inherit; a value that the user has set stays."""
    for name, value in _RAY_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    # Workers import this package by name, so they need it on their path when it is not installed.
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if root not in known:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *filter(None, known)])
    if root not in sys.path:
        sys.path.insert(0, root)
