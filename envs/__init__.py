"""The game as environments; importing this package registers them with PettingZoo.

The registry holds names of entry points only: nothing heavy is imported before an env is made.
"""

import pettingzoo

VERSUS_ID = "drmario/versus-v0"
"""`pettingzoo.make("parallel", VERSUS_ID)`, or `"aec"` for the turn-based form."""


def _register() -> None:
    if VERSUS_ID not in pettingzoo.parallel_registry:
        pettingzoo.register("parallel", VERSUS_ID, "envs.drmario_versus_v0:parallel_env")
    if VERSUS_ID not in pettingzoo.aec_registry:
        pettingzoo.register("aec", VERSUS_ID, "envs.drmario_versus_v0:env")


_register()
