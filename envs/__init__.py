"""The game as environments; importing this package registers them with PettingZoo and Gymnasium.

The registries hold names of entry points only: nothing heavy is imported before an env is made.
"""

import gymnasium
import pettingzoo

VERSUS_ID = "drmario/versus-v0"
"""`pettingzoo.make("parallel", VERSUS_ID)`, or `"aec"` for the turn-based form."""
SOLO_ID = "drmario/solo-v0"
"""`gymnasium.make(SOLO_ID)`."""


def _register() -> None:
    if VERSUS_ID not in pettingzoo.parallel_registry:
        pettingzoo.register("parallel", VERSUS_ID, "envs.drmario_versus_v0:parallel_env")
    if VERSUS_ID not in pettingzoo.aec_registry:
        pettingzoo.register("aec", VERSUS_ID, "envs.drmario_versus_v0:env")
    if SOLO_ID not in gymnasium.registry:
        gymnasium.register(SOLO_ID, "envs.drmario_solo_v0:SoloEnv")


_register()
