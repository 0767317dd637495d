"""The same seed and actions give the same RAM at every frame, in every process.

PettingZoo's `seed_test` needs two environments at once, which one process cannot have on
Stable-Retro; this test stands for it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from envs.actions import BUTTON_ACTIONS
from envs.drmario_versus_v0 import parallel_env
from tests.envs.conftest import MakeEnv

pytestmark = pytest.mark.emulator

ROOT = Path(__file__).resolve().parents[2]
STEPS = 1500


def digest_play(env: parallel_env, seed: int, action_seed: int = 0) -> list[str]:
    """Play random actions over two episodes and return a digest of the RAM of every frame.

    The second episode takes its set-up from the env's stream.
    """
    rng = np.random.default_rng(action_seed)
    digests = []
    for episode_seed in (seed, None):
        env.reset(seed=episode_seed)
        for first, second in rng.integers(len(BUTTON_ACTIONS), size=(STEPS // 2, 2)):
            if not env.agents:
                break
            env.step({"player_0": int(first), "player_1": int(second)})
            assert env.backend is not None
            digests.append(hashlib.sha1(env.backend.ram().tobytes()).hexdigest())
    return digests


PROGRAM = """
import sys
from envs.drmario_versus_v0 import parallel_env
from tests.envs.test_determinism import digest_play
env = parallel_env(level=(3, 8))
print("\\n".join(digest_play(env, seed=int(sys.argv[1]))))
"""


def digest_in_another_process(seed: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split()


def test_two_processes_play_the_same_game(user_data: Path) -> None:
    first = digest_in_another_process(seed=7)
    second = digest_in_another_process(seed=7)
    assert len(first) > STEPS // 2
    assert first == second


def test_two_environments_of_one_process_play_the_same_game(make_env: MakeEnv) -> None:
    digests = []
    for _ in range(2):
        env = make_env(level=(3, 8))
        digests.append(digest_play(env, seed=7))
        env.close()
    assert digests[0] == digests[1] == digest_in_another_process(seed=7)


def test_one_environment_repeats_itself(make_env: MakeEnv) -> None:
    env = make_env()
    assert digest_play(env, seed=7) == digest_play(env, seed=7)


def test_another_seed_or_other_actions_give_another_game(make_env: MakeEnv) -> None:
    env = make_env()
    games = [digest_play(env, 7), digest_play(env, 8), digest_play(env, 7, action_seed=1)]
    assert games[0] != games[1]
    assert games[0] != games[2]


@pytest.mark.parametrize("seed", [0, 1, 32766, 32767, 2**31])
def test_every_seed_is_reproducible(make_env: MakeEnv, seed: int) -> None:
    env = make_env()
    first, _ = env.reset(seed=seed)
    env.reset()
    second, _ = env.reset(seed=seed)
    np.testing.assert_array_equal(first["player_0"], second["player_0"])


def test_resets_without_a_seed_go_on_with_the_stream(make_env: MakeEnv) -> None:
    env = make_env(level=10)

    def bottles(seed: int) -> list[bytes]:
        observed = [env.reset(seed=seed)[0], env.reset()[0], env.reset()[0]]
        return [observations["player_0"][:128].tobytes() for observations in observed]

    first = bottles(3)
    assert len(set(first)) == 3
    assert bottles(3) == first
    assert bottles(4)[1] != first[1]
