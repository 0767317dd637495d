"""RLlib's PPO learner with the learning rate in the driver's hands."""

from __future__ import annotations

import time
from typing import Any, Final

import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner

ADAM_EPSILON: Final = 1e-5
"""As in the reference implementations of PPO; torch's default is 1e-8."""


class LeagueLearner(PPOTorchLearner):
    """Registers Adam without RLlib's step-count schedule, and times its updates.

    A run's progress may also be bounded by wall time, which a schedule over steps cannot follow;
    `set_learning_rate` is called before every iteration instead.
    """

    update_seconds: float = 0.0
    """Wall time of the last update, with the preparation of its batches."""

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Register one Adam for a trained module, none for a frozen one."""
        if not self.should_module_be_updated(module_id):
            return
        parameters = self.get_parameters(self.module[module_id])
        self.register_optimizer(
            module_id=module_id,
            optimizer=torch.optim.Adam(parameters, lr=config.lr, eps=ADAM_EPSILON),
            params=parameters,
        )

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """Update as the base class does, and note how long it took."""
        started = time.perf_counter()
        result = super().update(*args, **kwargs)
        self.update_seconds = time.perf_counter() - started
        return result

    def set_learning_rate(self, module_id: str, rate: float) -> None:
        """Use `rate` from the next gradient step on."""
        for _, optimizer in self.get_optimizers_for_module(module_id):
            for group in optimizer.param_groups:
                group["lr"] = rate
