"""Snapshot folders: what was saved plays again, and what was tampered with is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from envs.candidates import EARLIER_COUNTS, NUM_FEATURES
from envs.observation import COMPACT_HIGH, COMPACT_SIZE
from league.snapshots import (
    MANIFEST_FILE,
    WEIGHTS_FILE,
    Manifest,
    SnapshotError,
    load_snapshot,
    observation_digest,
    read_manifest,
    read_weights,
    save_snapshot,
)
from policies.base import CandidateBatch, View
from policies.network import NetworkConfig, NetworkPolicy, build_network

SIZES: dict[str, Any] = {"kind": "column", "column_features": 4, "hidden": 8}
VIEW = View("compact", "buttons", action_repeat=6, greedy=False)


def make_weights(seed: int = 0) -> dict[str, np.ndarray]:
    torch.manual_seed(seed)
    network = build_network(NetworkConfig(**SIZES))
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}


def save(folder: Path, weights: dict[str, np.ndarray] | None = None) -> Manifest:
    return save_snapshot(
        folder,
        run="test",
        snapshot_id="main-0007",
        env_steps=1234,
        network=SIZES,
        weights=make_weights() if weights is None else weights,
        view=VIEW,
    )


def edit_manifest(folder: Path, **changes: Any) -> None:
    path = folder / MANIFEST_FILE
    values = json.loads(path.read_text())
    values.update(changes)
    path.write_text(json.dumps(values))


def act(policy: NetworkPolicy) -> np.ndarray:
    rng = np.random.default_rng(0)
    observations = rng.integers(0, COMPACT_HIGH, (50, COMPACT_SIZE), np.uint8, endpoint=True)
    actions, _ = policy.act(observations, None, None, rng)
    return actions


def test_a_loaded_snapshot_plays_as_the_saved_network(tmp_path: Path) -> None:
    save(tmp_path / "a")
    network = build_network(NetworkConfig(**SIZES))
    network.load_state_dict({name: torch.tensor(value) for name, value in make_weights().items()})
    loaded = load_snapshot(tmp_path / "a")
    assert np.array_equal(act(loaded), act(NetworkPolicy(network, VIEW, "saved")))
    assert loaded.name == "snapshot:test/main-0007"
    assert loaded.view == VIEW


def test_weights_come_back_bit_for_bit(tmp_path: Path) -> None:
    weights = make_weights()
    # A transposed array is not in C order; its values must survive all the same.
    weights["policy.weight"] = np.asfortranarray(weights["policy.weight"])
    save(tmp_path / "a", weights)
    loaded = read_weights(tmp_path / "a")
    assert loaded.keys() == weights.keys()
    for name, value in weights.items():
        assert np.array_equal(loaded[name], value), name


def test_a_snapshot_of_fewer_candidate_features_plays_on(tmp_path: Path) -> None:
    """What was added since has no effect on it, and the first features keep theirs."""
    (known,) = EARLIER_COUNTS
    torch.manual_seed(0)
    weights = {
        name: value.numpy().copy()
        for name, value in build_network(NetworkConfig(hidden=8)).state_dict().items()
    }
    weights |= {name: weights[name][:known] for name in ("_mean", "_scale")}
    weights["read_row.weight"] = weights["read_row.weight"][:, :known]
    folder = tmp_path / "a"
    save_snapshot(
        folder,
        run="test",
        snapshot_id="main-0001",
        env_steps=1,
        network={"kind": "candidate", "hidden": 8},
        weights=weights,
        view=View("candidates", "placement"),
    )
    edit_manifest(folder, observation_sha256=observation_digest("candidates", known))
    policy = load_snapshot(folder)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 5, (20, 30, NUM_FEATURES), np.uint8)
    compact = rng.integers(0, COMPACT_HIGH, (20, COMPACT_SIZE), np.uint8, endpoint=True)
    poses = np.tile(np.arange(30, dtype=np.int16), (20, 1))
    judged = []
    for cut in (NUM_FEATURES, known, known - 1):
        shown = rows.copy()
        shown[:, :, cut:] = 0
        judged.append(policy.judge(CandidateBatch.trim(compact, shown, poses, np.full(20, 30))))
    assert np.array_equal(judged[0], judged[1])
    assert not np.array_equal(judged[1], judged[2])
    assert read_weights(folder)["read_row.weight"].shape == (8, NUM_FEATURES)


def test_weights_of_another_number_of_features_are_refused(tmp_path: Path) -> None:
    network = build_network(NetworkConfig(hidden=8))
    weights = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    weights["read_row.weight"] = weights["read_row.weight"][:, :-1]
    folder = tmp_path / "a"
    save_snapshot(
        folder,
        run="test",
        snapshot_id="main-0001",
        env_steps=1,
        network={"kind": "candidate", "hidden": 8},
        weights=weights,
        view=View("candidates", "placement"),
    )
    with pytest.raises(SnapshotError, match="weights and manifest do not fit"):
        load_snapshot(folder)


def test_digest_follows_the_weights(tmp_path: Path) -> None:
    first, again = save(tmp_path / "a"), save(tmp_path / "b")
    other = save(tmp_path / "c", make_weights(seed=1))
    assert first.weights_sha256 == again.weights_sha256
    assert first.weights_sha256 != other.weights_sha256
    assert read_manifest(tmp_path / "a") == first
    assert first.env_steps == 1234


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path, broken: float) -> None:
    weights = make_weights()
    weights["value.bias"] = np.array([broken], np.float32)
    with pytest.raises(SnapshotError, match=r"got others in value\.bias"):
        save(tmp_path / "a", weights)
    assert not (tmp_path / "a").exists()


def test_a_snapshot_is_never_overwritten(tmp_path: Path) -> None:
    save(tmp_path / "a")
    with pytest.raises(SnapshotError, match="expected an empty folder"):
        save(tmp_path / "a")


@pytest.mark.parametrize("cut", [0, 1, -1])
def test_changed_weights_are_refused(tmp_path: Path, cut: int) -> None:
    save(tmp_path / "a")
    path = tmp_path / "a" / WEIGHTS_FILE
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data[: len(data) if cut == 0 else cut])
    for read in (load_snapshot, read_weights):
        with pytest.raises(SnapshotError, match="the file was changed or cut short"):
            read(tmp_path / "a")


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("opened-a-pickle"),))


def test_a_planted_pickle_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a")
    data = pickle.dumps(_Bomb())
    (tmp_path / "a" / WEIGHTS_FILE).write_bytes(data)
    # Even an attacker who fixes the digest gets no further than the safetensors header.
    edit_manifest(tmp_path / "a", weights_sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(SnapshotError, match="expected safetensors"):
        load_snapshot(tmp_path / "a")
    assert not Path("opened-a-pickle").exists()
    pickle.loads(data)
    assert Path("opened-a-pickle").exists(), "the bomb itself does not work"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "pill-league-snapshot-2"}, "expected format 'pill-league-snapshot-1'"),
        ({"observation_sha256": "0" * 64}, "play it with the version that made it"),
        ({"surprise": 1}, "wrong: surprise"),
        ({"network": {"column_features": 4, "hidden": 9}}, "do not fit"),
        ({"network": {"column_features": 0, "hidden": 8}}, "expected column_features >= 1"),
        ({"network": {"layers": 4}}, "unexpected keyword argument 'layers'"),
        ({"view": {"observation": "planes"}}, "expected a view of observation 'compact'"),
        ({"view": {"observation": "compact", "action_repeat": 0}}, "expected action_repeat in"),
    ],
)
def test_a_foreign_manifest_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    save(tmp_path / "a")
    edit_manifest(tmp_path / "a", **changes)
    with pytest.raises(SnapshotError, match=message):
        load_snapshot(tmp_path / "a")


@pytest.mark.parametrize("text", ["", "[1]", "{", "\xff"])
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    save(tmp_path / "a")
    (tmp_path / "a" / MANIFEST_FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(SnapshotError, match="manifest"):
        load_snapshot(tmp_path / "a")


def test_a_missing_snapshot_says_so(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match=r"expected a snapshot at .*, found no manifest"):
        load_snapshot(tmp_path / "nowhere")
