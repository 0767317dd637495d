"""RLlib's PPO, configured for one learning network and batched runners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from league.learning_settings import ProcessSettings, TrainingSettings
from league.training.bank import MakeNetwork
from league.training.chunk import ChunkToBatch
from league.training.learner import LeagueLearner
from league.training.module import BFLOAT16, MAKE_NETWORK, MainModule
from league.training.ppo import LeaguePPO, OverlappedPPO
from league.training.roster import MAIN
from league.training.runner import SETUP, LeagueEnvRunner, RunnerSetup
from league.training.sampler import DrawGame
from league.training.tables import GameTable
from policies.base import Policy


@dataclass(frozen=True, slots=True)
class TrainerSetup:
    """All that a `Trainer` is built from; what is called in runners must survive pickling."""

    training: TrainingSettings
    processes: ProcessSettings
    make_network: MakeNetwork
    """Makes the network of `main`, and of its snapshots; for games of others any `Network`."""
    seed: int
    """Seed of the run."""
    scripted: Mapping[str, Policy]
    """Scripted policies that a roster may name, by player name."""
    make_table: Callable[[], GameTable]
    """Makes the game table of one runner."""
    draw_game: DrawGame
    stall: float = 0.0
    """Paid to both seats of a game that meets the frame limit."""


def build_algorithm(setup: TrainerSetup) -> LeaguePPO:
    """Build PPO with its runners and learners; Ray must be running.

    RLlib knows one module, `main`. Opponents live in the runners' banks, so nothing is ever added
    to or removed from RLlib.
    """
    training, processes = setup.training, setup.processes
    spec = RLModuleSpec(
        module_class=MainModule,
        model_config={MAKE_NETWORK: setup.make_network, BFLOAT16: processes.bfloat16},
    )
    runner = RunnerSetup(
        seed=setup.seed,
        make_table=setup.make_table,
        make_network=setup.make_network,
        draw_game=setup.draw_game,
        stall=setup.stall,
        scripted=dict(setup.scripted),
        threads=processes.threads,
    )
    config = (
        PPOConfig(algo_class=OverlappedPPO if processes.overlap else LeaguePPO)
        .environment(None, env_config={SETUP: runner})
        .env_runners(
            env_runner_cls=LeagueEnvRunner,
            num_env_runners=processes.num_env_runners,
            sample_timeout_s=processes.sample_timeout_s,
        )
        .learners(
            learner_class=LeagueLearner,
            num_learners=processes.num_learners,
            num_gpus_per_learner=processes.gpus_per_learner,
            learner_connector=_make_connector,
            # Without RLlib's own pieces: the rows are ready.
            add_default_connectors_to_learner_pipeline=False,
        )
        .multi_agent(policies={MAIN}, policy_mapping_fn=_map_to_main, policies_to_train=[MAIN])
        .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs={MAIN: spec}))
        .fault_tolerance(
            restart_failed_env_runners=processes.restart_failed_env_runners,
            delay_between_env_runner_restarts_s=1.0,
        )
        .debugging(log_level="ERROR", seed=setup.seed)
    )
    algorithm: LeaguePPO = _set_ppo(config, training, processes).build_algo()
    return algorithm


def _make_connector(*spaces: Any) -> ChunkToBatch:
    return ChunkToBatch()


def _map_to_main(agent_id: str, *args: Any, **kwargs: Any) -> str:
    """Satisfy RLlib, which asks for a mapping; runners seat the players themselves."""
    return MAIN


def _set_ppo(
    config: PPOConfig, training: TrainingSettings, processes: ProcessSettings
) -> PPOConfig:
    learners = max(1, processes.num_learners)
    return config.training(
        train_batch_size_per_learner=training.train_batch_size // learners,
        minibatch_size=training.minibatch_size // learners,
        num_epochs=training.num_epochs,
        # Rows come shuffled; once more in every epoch would cost a twelfth of the learner's time.
        shuffle_batch_per_epoch=False,
        lambda_=training.gae_lambda,
        clip_param=training.clip_coef,
        vf_loss_coeff=training.vf_coef,
        grad_clip=training.max_grad_norm,
        grad_clip_by="global_norm",
        use_kl_loss=False,
        kl_coeff=0.0,
    )
