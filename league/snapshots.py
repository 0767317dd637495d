"""Snapshot folders: a frozen network as `weights.safetensors` beside a `manifest.json`.

Nothing in a snapshot is executed: no pickle, no class names, no code. The manifest holds what is
needed to play the network again (its size and its view) and the digests that tell whether the
weights, and the meaning of their inputs, are still the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from envs.candidates import EARLIER_COUNTS, hash_features
from envs.observation import COMPACT_FIELDS
from league.errors import LeagueError
from policies.base import View

if TYPE_CHECKING:
    from policies.network import NetworkConfig, NetworkPolicy

FORMAT: Final = "pill-league-snapshot-1"
MANIFEST_FILE: Final = "manifest.json"
WEIGHTS_FILE: Final = "weights.safetensors"

Weights = Mapping[str, np.ndarray]
"""Parameters of a network by name, as in its `state_dict`."""


class SnapshotError(LeagueError):
    """A snapshot that is missing, corrupt, foreign or of another version."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a snapshot says about itself."""

    run: str
    """Name of the run that made it."""
    id: str
    """Its id within the run, e.g. `main-0003`."""
    env_steps: int
    """Env steps that the run's `main` had seen by then."""
    network: Mapping[str, Any]
    """Fields of `policies.network.NetworkConfig`."""
    view: Mapping[str, Any]
    """Fields of `policies.base.View`."""
    observation_sha256: str
    """Digest of the layout that the weights were trained on, see `observation_digest`."""
    weights_sha256: str
    """Digest of the weights file."""
    format: str = FORMAT


def observation_digest(observation: str, features: int | None = None) -> str:
    """Return the digest of what a network sees: names, places and ranges of all fields.

    Args:
        observation: `compact`, or `candidates`, whose features count besides.
        features: How many of these, from the first; None for all.
    """
    layout: list[Any] = [(item.name, item.offset, item.size, item.high) for item in COMPACT_FIELDS]
    if observation == "candidates":
        layout.append(hash_features(features))
    return hashlib.sha256(json.dumps(layout).encode()).hexdigest()


def choose_view(kind: str, action_repeat: int) -> View:
    """Return how snapshots of a run see the game and play it.

    Args:
        kind: Kind of the network.
        action_repeat: Frames that a button is held in training.
    """
    if kind == "column":
        # Sampled, as in training: that is the policy which PPO improves.
        return View("compact", "buttons", action_repeat=action_repeat, greedy=False)
    # Placements are better without chance, and games between policies without it are played fast.
    return View("candidates" if kind == "candidate" else "compact", "placement")


def save_snapshot(
    folder: Path,
    *,
    run: str,
    snapshot_id: str,
    env_steps: int,
    network: Mapping[str, Any],
    weights: Weights,
    view: View,
) -> Manifest:
    """Write a snapshot into `folder`, which must be new or empty.

    The other arguments are described in `Manifest`.

    The manifest is written last, so a folder that has one is complete. For a snapshot that
    appears all at once, write it under another name and rename the folder.

    Raises:
        SnapshotError: The folder holds something already, or a weight is not finite.
    """
    from safetensors.numpy import save

    broken = sorted(name for name, value in weights.items() if not np.isfinite(value).all())
    if broken:
        raise SnapshotError(
            f"expected finite weights, got others in {', '.join(broken)}; training has diverged, "
            "lower training.learning_rate"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SnapshotError(f"expected an empty folder for a snapshot, found files in {folder}")
    data = save({name: np.array(value, order="C") for name, value in weights.items()})
    (folder / WEIGHTS_FILE).write_bytes(data)
    manifest = Manifest(
        run=run,
        id=snapshot_id,
        env_steps=env_steps,
        network=dict(network),
        view=asdict(view),
        observation_sha256=observation_digest(view.observation),
        weights_sha256=hashlib.sha256(data).hexdigest(),
    )
    text = json.dumps(asdict(manifest), indent=2, sort_keys=True)
    (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a snapshot.

    Raises:
        SnapshotError: It is missing, broken, of another version, or of another observation.
    """
    path = folder / MANIFEST_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SnapshotError(f"expected a snapshot at {folder}, found no {MANIFEST_FILE}") from error
    except (OSError, ValueError) as error:
        raise SnapshotError(f"expected JSON in {path}: {error}") from error
    found = values.get("format") if isinstance(values, dict) else None
    if found != FORMAT:
        raise SnapshotError(f"expected format {FORMAT!r} in {path}, got {found!r}")
    names = {item.name for item in fields(Manifest)}
    if set(values) != names:
        wrong = ", ".join(sorted(set(values) ^ names))
        raise SnapshotError(f"expected the keys {sorted(names)} in {path}; wrong: {wrong}")
    manifest = Manifest(**values)
    observation = manifest.view.get("observation", "compact")
    known = (observation_digest(observation, count) for count in (None, *EARLIER_COUNTS))
    if manifest.observation_sha256 not in known:
        raise SnapshotError(
            f"expected a snapshot of this version's {observation} observation, got another in "
            f"{path}; play it with the version that made it"
        )
    return manifest


def load_snapshot(folder: Path, name: str = "") -> NetworkPolicy:
    """Return the policy that a snapshot holds.

    Args:
        folder: Where it is.
        name: Text that names the policy; empty for `snapshot:RUN/ID`.

    Raises:
        SnapshotError: It is missing, its digest is wrong, or weights and manifest do not fit.
    """
    from policies.network import NetworkPolicy, build_network

    manifest = read_manifest(folder)
    config = _read_network(folder, manifest)
    network = build_network(config)
    tensors = _read_tensors(folder, manifest)
    try:
        network.load_state_dict(tensors)
        view = View(**manifest.view)
        text = name or f"snapshot:{manifest.run}/{manifest.id}"
        return NetworkPolicy(network, view, text)
    except (RuntimeError, TypeError, ValueError) as error:
        # torch lists every missing or misshapen weight on lines of its own.
        raise SnapshotError(f"{folder}: weights and manifest do not fit: {error}") from error


def read_weights(folder: Path) -> dict[str, np.ndarray]:
    """Return the weights of a snapshot by name, after checking their digest.

    Raises:
        SnapshotError: The snapshot is missing or its digest is wrong.
    """
    return {
        name: np.asarray(value.numpy())
        for name, value in _read_tensors(folder, read_manifest(folder)).items()
    }


def _read_network(folder: Path, manifest: Manifest) -> NetworkConfig:
    from policies.network import NetworkConfig

    try:
        return NetworkConfig(**manifest.network)
    except (TypeError, ValueError) as error:
        raise SnapshotError(f"{folder / MANIFEST_FILE}: network: {error}") from error


def _read_tensors(folder: Path, manifest: Manifest) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    from policies.network.candidate import add_features

    path = folder / WEIGHTS_FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"expected weights at {path}: {error}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != manifest.weights_sha256:
        raise SnapshotError(
            f"expected sha256 {manifest.weights_sha256} of {path}, got {digest}; "
            "the file was changed or cut short"
        )
    try:
        tensors: dict[str, Any] = load(data)
    except SafetensorError as error:
        raise SnapshotError(f"expected safetensors in {path}: {error}") from error
    if not {"_mean", "_scale", "read_row.weight"} <= set(tensors):
        return tensors  # no network of candidates
    try:
        return add_features(tensors)
    except (IndexError, RuntimeError) as error:
        raise SnapshotError(f"{folder}: weights and manifest do not fit: {error}") from error
