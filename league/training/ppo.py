"""RLlib's PPO as runs use it: batch after batch, or playing the next batch while it learns."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any, Final

from ray.rllib.algorithms.ppo import PPO
from ray.rllib.core import ALL_MODULES
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    LEARNER_RESULTS,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
)

from league.training.chunk import Chunk
from league.training.runner import LeagueEnvRunner

SAMPLES: Final = "samples"
"""RLlib's tag of the requests that run beside the learner."""


class LeaguePPO(PPO):
    """RLlib's PPO without its result folder in the user's home; runs log for themselves."""

    def discard_samples(self) -> None:
        """Forget what was sampled for other weights than those that come now: nothing here."""

    def cleanup(self) -> None:
        """Stop all workers and remove the folder."""
        super().cleanup()
        shutil.rmtree(self._logdir, ignore_errors=True)

    def _setup_logdir(self) -> None:
        self._logdir = tempfile.mkdtemp(prefix="pill-league-")


class OverlappedPPO(LeaguePPO):
    """PPO whose env runners play the next batch while this one is learned from.

    RLlib's own training step lets its runners wait for the learner, and the learner for them. Here
    both work all the time, so a batch is always played with the weights of one update before; the
    probability ratio of PPO's loss is taken to the policy that played, as ever. With one runner
    and one seed the order of all of it is the same every time.
    """

    def training_step(self) -> None:
        """Take the batch that was played meanwhile, ask for the next one, and learn."""
        group = self.env_runner_group
        if not group.num_in_flight_async_reqs(SAMPLES):
            self._request_samples()
        answers = group.fetch_ready_async_reqs(
            tags=SAMPLES, timeout_seconds=self.config.sample_timeout_s
        )
        if not answers:
            return
        self._request_samples()
        played = [answer for _, answer in answers]
        self.metrics.aggregate([metrics for _, metrics in played], key=ENV_RUNNER_RESULTS)
        learned = self.learner_group.update(
            episodes=[chunk for chunks, _ in played for chunk in chunks],
            timesteps={
                NUM_ENV_STEPS_SAMPLED_LIFETIME: self.metrics.peek(
                    (ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME)
                )
            },
            num_epochs=self.config.num_epochs,
            minibatch_size=self.config.minibatch_size,
            shuffle_batch_per_epoch=self.config.shuffle_batch_per_epoch,
        )
        self.metrics.aggregate(learned, key=LEARNER_RESULTS)
        # Runners take them when the batch that they are playing is full.
        group.sync_weights(
            from_worker_or_learner_group=self.learner_group,
            policies=set(learned[0]) - {ALL_MODULES},
            inference_only=True,
        )

    def discard_samples(self) -> None:
        """Wait for the batch that is being played, and forget it."""
        self.env_runner_group.fetch_ready_async_reqs(tags=SAMPLES, timeout_seconds=None)

    def _request_samples(self) -> None:
        self.env_runner_group.foreach_env_runner_async(_play_batch, tag=SAMPLES)


def _play_batch(runner: LeagueEnvRunner) -> tuple[list[Chunk], Any]:
    return runner.sample(), runner.get_metrics()
