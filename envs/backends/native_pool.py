"""Threads of the native extension that share the games of a batch."""

from __future__ import annotations

import os

from envs.backends.base import BackendError
from envs.backends.native_library import load_library


class NativePool:
    """A number of threads, started when they are first needed; a forked child starts its own."""

    def __init__(self, threads: int | None, games: int) -> None:
        """Choose the number of threads.

        Args:
            threads: Threads that share the games, the calling one included. None takes one for
                each processor that this process may use; a number above that is cut down to it.
            games: Games to share; more threads than that are of no use.

        Raises:
            ValueError: `threads` is below 1.
        """
        if threads is not None and threads < 1:
            raise ValueError(f"expected threads to be 1 or more, got {threads}")
        self.threads = min(threads or games, count_processors(), games)
        self._library = load_library()
        self._pool: int | None = None
        self._owner = 0

    def open(self) -> int | None:
        """Return the address that native functions take; None stands for the calling thread.

        Raises:
            BackendError: The system gives no threads.
        """
        if self.threads == 1:
            return None
        if self._pool is None or self._owner != os.getpid():
            self._pool = self._library.pill_pool_open(self.threads)
            self._owner = os.getpid()
            if self._pool is None:
                raise BackendError(f"expected {self.threads} threads, got none from the system")
        return self._pool

    def close(self) -> None:
        """End the threads; safe to call twice."""
        if self._pool is not None and self._owner == os.getpid():
            self._library.pill_pool_close(self._pool)
        self._pool = None

    def __del__(self) -> None:
        if hasattr(self, "_pool"):
            self.close()


def count_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
