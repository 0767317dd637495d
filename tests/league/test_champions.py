"""The champions that are shipped: they load, say what they are, and can be started from."""

from __future__ import annotations

import pytest

from league.champions import CARD_FILE, ChampionError, find_champion, list_champions
from league.players import PlayerError, find_weights, load_policy
from league.snapshots import WEIGHTS_FILE, read_manifest

MAX_BYTES = 5 * 2**20


@pytest.mark.parametrize("name", list_champions())
def test_a_champion_is_complete(name: str) -> None:
    folder = find_champion(name)
    assert (folder / WEIGHTS_FILE).stat().st_size <= MAX_BYTES
    assert read_manifest(folder).id == name
    card = (folder / CARD_FILE).read_text(encoding="utf-8").lower()
    assert all(word in card for word in ("decisions", "seed", "weak"))
    policy = load_policy(f"champion:{name}")
    assert policy.name == f"champion:{name}"
    assert policy.view.actions == "placement"


def test_the_default_champion_is_one_of_them() -> None:
    assert find_champion() == find_champion(load_policy("champion").name.partition(":")[2])
    assert find_weights("champion") == find_champion()


def test_others_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ChampionError, match=r"expected a champion \(.*pill-2.*\), got 'pil-2'"):
        find_champion("pil-2")
    with pytest.raises(PlayerError, match="expected 'champion"):
        find_weights("greedy")
