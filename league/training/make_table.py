"""Makes the game table that a run's configuration describes, inside a runner."""

from __future__ import annotations

from envs.drmario_versus_v0 import parallel_env
from league.settings import EnvSettings
from league.training.parallel_table import ParallelTable
from league.training.simulator_table import SimulatorTable
from league.training.tables import GameTable
from policies.network import NetworkConfig, build_network


def make_table(env: EnvSettings, network: NetworkConfig, games: int) -> GameTable:
    """Return a table whose games have not begun.

    Args:
        env: The game.
        network: What its players see and choose follows from it.
        games: How many games; on the emulator one a process.
    """
    columns = build_network(network).columns
    if env.backend == "simulator":
        return SimulatorTable(games, columns, reward=env.reward, max_frames=env.max_frames)
    envs = [
        parallel_env(
            backend=env.backend,
            game=env.game,
            actions=env.actions,
            # A placement lasts until the capsule locks.
            action_repeat=env.action_repeat if env.actions == "buttons" else 1,
            max_frames=env.max_frames,
            reward=env.reward,
        )
        for _ in range(games)
    ]
    return ParallelTable(envs, columns)
