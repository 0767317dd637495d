"""RLlib's PPO learner with the loss of this project, and its schedules in the driver's hands."""

from __future__ import annotations

import time
from typing import Any, Final

import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.core.columns import Columns
from torch import Tensor

from league.training.memory import stop_zeroing
from league.training.rows import ACTION, ADVANTAGE, LOG_PROBABILITY, VALUE_TARGET
from league.training.steering import Steering

ADAM_EPSILON: Final = 1e-5
"""As in the reference implementations of PPO; torch's default is 1e-8."""


class LeagueLearner(PPOTorchLearner):
    """Clipped policy gradient, squared value errors and an entropy bonus, on ready rows.

    RLlib's own loss builds two distributions per minibatch and carries the old logits along for
    its KL term; this one needs only the old log-probabilities, and estimates the KL from them. A
    run's progress may also be bounded by wall time, which RLlib's schedules over steps cannot
    follow; `steer` is called before every iteration instead.
    """

    update_seconds: float = 0.0
    """Wall time of the last update, with the preparation of its batches."""
    _steering = Steering(0.0)

    def build(self) -> None:
        """Set up as the base class does."""
        stop_zeroing()
        super().build()

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Register one Adam, without RLlib's step-count schedule."""
        parameters = self.get_parameters(self.module[module_id])
        self.register_optimizer(
            module_id=module_id,
            optimizer=torch.optim.Adam(parameters, lr=config.lr, eps=ADAM_EPSILON, fused=True),
            params=parameters,
        )

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """Update as the base class does, and note how long it took."""
        started = time.perf_counter()
        result = super().update(*args, **kwargs)
        self.update_seconds = time.perf_counter() - started
        return result

    def steer(self, module_id: str, steering: Steering) -> None:
        """Use other settings from the next gradient step on."""
        self._steering = steering
        for _, optimizer in self.get_optimizers_for_module(module_id):
            for group in optimizer.param_groups:
                group["lr"] = steering.learning_rate

    def compute_loss_for_module(
        self, *, module_id: str, config: Any, batch: dict[str, Any], fwd_out: dict[str, Any]
    ) -> Tensor:
        """Return the loss of a minibatch."""
        logits, values = fwd_out[Columns.ACTION_DIST_INPUTS], fwd_out[Columns.EMBEDDINGS]
        log_all = torch.log_softmax(logits, 1)
        chosen = log_all.gather(1, batch[ACTION][:, None]).squeeze(1)
        # Not `log_all.exp()`, which takes ten times as long where choices are ruled out.
        entropy = -(torch.softmax(logits, 1) * log_all).sum(1).mean()
        change = chosen - batch[LOG_PROBABILITY]
        ratio, advantages = change.exp(), batch[ADVANTAGE]
        clipped = ratio.clamp(1 - config.clip_param, 1 + config.clip_param)
        policy_loss = -torch.min(ratio * advantages, clipped * advantages).mean()
        errors = values - batch[VALUE_TARGET]
        value_loss = errors.square().mean()
        bonus = self._steering.entropy * entropy
        loss: Tensor = policy_loss + config.vf_loss_coeff * value_loss - bonus
        with torch.no_grad():
            spread = batch[VALUE_TARGET].var().clamp_min(1e-8)
            self.metrics.log_dict(
                {
                    "policy_loss": policy_loss,
                    "vf_loss": value_loss,
                    "entropy": entropy,
                    # Schulman's estimate, which is never negative.
                    "mean_kl_loss": (ratio - 1 - change).mean(),
                    "vf_explained_var": 1 - errors.var() / spread,
                    "clip_fraction": (ratio != clipped).float().mean(),
                },
                key=module_id,
                window=1,
            )
        return loss
