"""Players that are Python objects from elsewhere: `py:module:factory`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from league.errors import LeagueError
from policies.base import Policy, State, View

_METHODS: Final = ("initial_state", "act")


class FactoryError(LeagueError):
    """A text that leads to no policy; the message says where it broke off."""


class NamedPolicy:
    """A policy under the text that it was asked for by, whatever it calls itself."""

    def __init__(self, policy: Policy, name: str) -> None:
        self._policy = policy
        self._name = name

    @property
    def name(self) -> str:
        """The text that names this policy."""
        return self._name

    @property
    def view(self) -> View:
        """As the policy says."""
        return self._policy.view

    @property
    def deterministic(self) -> bool:
        """As the policy says."""
        return self._policy.deterministic

    def initial_state(self, batch: int) -> State:
        """Ask the policy."""
        return self._policy.initial_state(batch)

    def act(
        self, observations: Any, masks: np.ndarray | None, state: State, rng: np.random.Generator
    ) -> tuple[np.ndarray, State]:
        """Ask the policy; see `Policy.act`."""
        return self._policy.act(observations, masks, state, rng)


def load_python_policy(details: str) -> Policy:
    """Import a module and call what makes a policy.

    Modules are looked for where Python looks, and in the current folder after that.

    Args:
        details: `module:factory`; the factory takes no arguments and returns a `Policy`.

    Raises:
        FactoryError: There is no such module or factory, or what it returns is no policy.
    """
    module_name, _, factory_name = details.partition(":")
    if not module_name or not factory_name.isidentifier():
        raise FactoryError(f"expected 'py:module:factory', got {'py:' + details!r}")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise FactoryError(
            f"expected a module {module_name!r} in the current folder or installed: {error}"
        ) from error
    factory = getattr(module, factory_name, None)
    if not callable(factory):
        known = ", ".join(name for name, one in vars(module).items() if callable(one)) or "none"
        raise FactoryError(
            f"expected a callable {factory_name!r} in {module_name!r}, which has: {known}"
        )
    return NamedPolicy(_check_policy(factory(), details), f"py:{details}")


def _check_policy(policy: Any, details: str) -> Policy:
    missing = [name for name in _METHODS if not callable(getattr(policy, name, None))]
    if not isinstance(getattr(policy, "view", None), View):
        missing.append("view, a policies.base.View")
    if not isinstance(getattr(policy, "deterministic", None), bool):
        missing.append("deterministic, a bool")
    if missing:
        raise FactoryError(
            f"expected {details!r} to return a policy (policies.base.Policy), got "
            f"{type(policy).__name__} without {', '.join(missing)}"
        )
    checked: Policy = policy
    return checked
