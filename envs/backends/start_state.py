"""Makes Pill Duel's `Start.state`, the state that Stable-Retro's own `make` begins with.

Run `python -m envs.backends.start_state` after every build of the ROM: a state holds addresses of
the code. A test fails when the committed file is not what this makes.
"""

from __future__ import annotations

import gzip
from typing import Final

from envs.backends.integrations import PILL_DUEL, integration_path
from envs.backends.retro import RetroBackend
from envs.backends.savestates import Savestate
from envs.game.setup import RoundSetup

START_STATE_NAME: Final = "Start.state"


def make_start_state() -> bytes:
    """Return the file: level 0, MED, power-on RNG word, the first frame that both can act on.

    Raises:
        BackendError: Another emulator is open in this process.
    """
    with RetroBackend(PILL_DUEL) as backend:
        backend.start_round(RoundSetup())
        state = Savestate.from_bytes(backend.save())
    # Without a time in the header the same state gives the same file.
    return gzip.compress(state.payload, mtime=0)


if __name__ == "__main__":
    (integration_path(PILL_DUEL) / START_STATE_NAME).write_bytes(make_start_state())
