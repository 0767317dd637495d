"""RLlib's PPO, configured for one learning network against a roster of opponents."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from league.settings import TrainingSettings
from league.training.environment import ENV_NAME, ParallelEnvMaker, register_parallel_env
from league.training.learner import LeagueLearner
from league.training.module import MainModule, OpponentModule, ScriptedModule
from league.training.roster import MAIN, scripted_module, slot_module
from league.training.runner import LeagueCallbacks, LeagueEnvRunner, map_to_main
from policies.base import Policy
from policies.network import NetworkConfig

VALUE_CLIP: Final = 10.0
"""Squared value errors above this give no gradient; far above what returns of about 1 produce."""


@dataclass(frozen=True, slots=True)
class TrainerSetup:
    """All that a `Trainer` is built from."""

    training: TrainingSettings
    network: NetworkConfig
    seed: int
    """Seed of the run."""
    slots: int
    """Opponent slots whose weights can be swapped."""
    scripted: Mapping[str, Policy]
    """Scripted policies by player name; each gets a module of its own."""
    make_env: ParallelEnvMaker


class LeaguePPO(PPO):
    """RLlib's PPO without its result folder in the user's home; runs log for themselves."""

    def _setup_logdir(self) -> None:
        self._logdir = tempfile.mkdtemp(prefix="pill-league-")

    def cleanup(self) -> None:
        """Stop all workers and remove the folder."""
        super().cleanup()
        shutil.rmtree(self._logdir, ignore_errors=True)


def build_algorithm(setup: TrainerSetup) -> LeaguePPO:
    """Build PPO with its runners; Ray must be running.

    Every module id is fixed from the start: `main`, the slots, and one per scripted policy. A
    slot's weights are swapped on the runners, so nothing is ever added to or removed from RLlib.
    """
    register_parallel_env(setup.make_env)
    specs = _module_specs(setup)
    training = setup.training
    config = (
        PPOConfig(algo_class=LeaguePPO)
        .environment(ENV_NAME, env_config={"seed": setup.seed}, disable_env_checking=True)
        .env_runners(
            env_runner_cls=LeagueEnvRunner,
            num_env_runners=training.num_env_runners,
            # One emulator per process, and seeds are handed to the runner's only environment.
            num_envs_per_env_runner=1,
            rollout_fragment_length="auto",
            sample_timeout_s=training.sample_timeout_s,
        )
        .learners(learner_class=LeagueLearner)
        .multi_agent(
            policies=set(specs),
            policy_mapping_fn=map_to_main,
            policies_to_train=[MAIN],
        )
        .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs=specs))
        .callbacks(LeagueCallbacks)
        .fault_tolerance(restart_failed_env_runners=training.restart_failed_env_runners)
        .debugging(log_level="ERROR", seed=setup.seed)
    )
    algorithm: LeaguePPO = _set_ppo(config, training).build_algo()
    return algorithm


def _set_ppo(config: PPOConfig, training: TrainingSettings) -> PPOConfig:
    return config.training(
        train_batch_size_per_learner=training.train_batch_size,
        minibatch_size=training.minibatch_size,
        num_epochs=training.num_epochs,
        lr=training.learning_rate,
        gamma=training.gamma,
        lambda_=training.gae_lambda,
        clip_param=training.clip_coef,
        entropy_coeff=training.ent_coef,
        vf_loss_coeff=training.vf_coef,
        vf_clip_param=VALUE_CLIP,
        grad_clip=training.max_grad_norm,
        grad_clip_by="global_norm",
        # Measured and reported, but not part of the loss.
        use_kl_loss=True,
        kl_coeff=0.0,
    )


def _module_specs(setup: TrainerSetup) -> dict[str, RLModuleSpec]:
    network = {"network": asdict(setup.network)}
    specs = {MAIN: RLModuleSpec(module_class=MainModule, model_config=network)}
    for slot in range(setup.slots):
        specs[slot_module(slot)] = RLModuleSpec(module_class=OpponentModule, model_config=network)
    for name, policy in setup.scripted.items():
        specs[scripted_module(name)] = RLModuleSpec(
            module_class=ScriptedModule, model_config={"policy": policy}
        )
    return specs
