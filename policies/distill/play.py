"""Plays games with trees on the native simulator, many at a time, at the real falling speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from envs.backends import native_duel
from envs.backends.native_duel import (
    GREEDY,
    OUTSIDE,
    PAGE_SIZE,
    PLANNED,
    RANDOM,
    SEARCH,
    STILL,
    TREE,
    DuelPlayers,
    Duels,
)
from envs.backends.native_pool import NativePool
from envs.backends.native_search import pack_images
from envs.backends.native_vector import EVENTS, ROUND_START, pack_start
from envs.game.layout import NUM_SEATS, Speed
from envs.game.outcome import END_REASONS
from envs.game.placement import NUM_POSES
from envs.game.setup import NUM_SEEDS, RoundSetup, count_viruses, seed_to_word
from policies.base import Policy
from policies.decision_choices import list_greedy_weights
from policies.distill.teacher import NO_POSE, choose_poses
from policies.greedy import GreedyPolicy
from policies.scripted import NoopPolicy, RandomPolicy
from policies.search import TUNED_WEIGHTS, SearchPolicy, list_weights

MAX_FRAMES: Final = 36_000
"""Frames after which a game counts as neither won nor cleared: ten minutes."""

MAX_CAPSULES: Final = 400
"""Capsules after which a round that is played without frames counts as not cleared."""

_CLEAR: Final = 1 + END_REASONS.index("clear")
_CAPSULES: Final = EVENTS.index("capsules")
_VIRUSES: Final = EVENTS.index("viruses")
_DRAW: Final = 0.5

Player = np.ndarray | Policy
"""Who plays a seat: the page of a tree, uint8 (190,), or a policy that places capsules."""


@dataclass(frozen=True, slots=True)
class SoloResult:
    """What became of solo rounds; arrays are by round."""

    cleared: np.ndarray
    """bool (n,): the bottle was cleared in time."""
    capsules: np.ndarray
    """int32 (n,): capsules locked."""
    viruses: np.ndarray
    """int32 (n,): viruses cleared."""
    frames: np.ndarray
    """int32 (n,): frames of play."""

    @property
    def clear_rate(self) -> float:
        """Share of rounds that were cleared."""
        return float(self.cleared.mean())

    @property
    def capsules_to_clear(self) -> float:
        """Mean over cleared rounds; infinite if there is none."""
        return float(self.capsules[self.cleared].mean()) if self.cleared.any() else float("inf")


def draw_starts(
    rng: np.random.Generator,
    games: int,
    levels: Sequence[int],
    speeds: Sequence[Speed],
    *,
    solo: bool,
) -> np.ndarray:
    """Draw set-ups, `ROUND_START` (games,): levels in turn, speeds and seeds at random."""
    starts = np.zeros(games, ROUND_START)
    for index in range(games):
        level = levels[index % len(levels)]
        speed = speeds[int(rng.integers(len(speeds)))]
        word = seed_to_word(int(rng.integers(NUM_SEEDS)))
        starts[index] = pack_start(
            RoundSetup(levels=(level, level), speeds=(speed, speed), rng_word=word, solo=solo)
        )
    return starts


def play_solo(player: Player, starts: np.ndarray, *, threads: int | None = 1) -> SoloResult:
    """Play solo rounds from `starts` with one player."""
    duels = Duels(starts, threads=threads)
    duels.seats["control"][:, 1] = STILL
    _play_all(duels, (player, NoopPolicy()), np.zeros(len(starts), np.bool_))
    duels.close()
    return read_solo(duels)


def play_capsules(pages: np.ndarray, starts: np.ndarray, *, threads: int | None = 1) -> SoloResult:
    """Play the same solo rounds with each of some trees, as fast as it goes.

    Clears and capsules are those of `play_solo`; frames are not counted.

    Args:
        pages: uint8 (trees, 190).
        starts: `ROUND_START` (games,).
        threads: Threads that share the games.

    Returns:
        Results by tree, then start: arrays (trees * games,).
    """
    pool = NativePool(threads, len(pages) * len(starts))
    outcomes = native_duel.play_capsules(pages, starts, MAX_CAPSULES, pool).reshape(-1)
    pool.close()
    return SoloResult(
        cleared=outcomes["cleared"] != 0,
        capsules=outcomes["capsules"].copy(),
        viruses=outcomes["viruses"].copy(),
        frames=np.zeros(len(outcomes), np.int32),
    )


def play_match(
    one: Player, other: Player, starts: np.ndarray, *, threads: int | None = 1
) -> np.ndarray:
    """Play each set-up twice with the seats swapped.

    Returns:
        What `one` scored, float64 (2, games): in seat 0, then in seat 1; a draw is a half.
    """
    duels = Duels(np.tile(starts, 2), threads=threads)
    swapped = np.repeat([False, True], len(starts))
    _play_all(duels, (one, other), swapped)
    duels.close()
    own_seat = swapped.astype(np.int8)
    scores = np.where(duels.winners < 0, _DRAW, duels.winners == own_seat)
    return scores.reshape(2, len(starts))


def play_match_pages(
    pages: np.ndarray, starts: np.ndarray, *, threads: int | None = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Play the same games of each of some trees, in seat 0, against `greedy`.

    Returns:
        Scores of the trees, and by what share of its bottle the tree was ahead at the end, both
        float64 (trees, games).
    """
    duels = Duels(np.tile(starts, len(pages)), threads=threads)
    duels.seats["control"] = [TREE, GREEDY]
    duels.seats["page"][:, 0] = np.repeat(np.arange(len(pages)), len(starts))
    duels.play(_make_players(pages, None))
    duels.close()
    scores = np.where(duels.winners < 0, _DRAW, duels.winners == 0)
    viruses = np.tile(count_start_viruses(starts), len(pages))
    ahead = (duels.totals[:, 0, _VIRUSES] - duels.totals[:, 1, _VIRUSES]) / viruses
    shape = (len(pages), len(starts))
    return scores.reshape(shape), ahead.reshape(shape)


def count_start_viruses(starts: np.ndarray) -> np.ndarray:
    """Return the viruses of seat 0 at the start, int64 (games,)."""
    return np.array([count_viruses(int(level)) for level in starts["levels"][:, 0]])


def _play_all(duels: Duels, players: tuple[Player, Player], swapped: np.ndarray) -> None:
    """Play every game to its end; where `swapped`, the players sit the other way round."""
    pages = [player for player in players if isinstance(player, np.ndarray)]
    searches = [player for player in players if isinstance(player, SearchPolicy)]
    builtin = _make_players(
        np.stack(pages) if pages else np.zeros((1, PAGE_SIZE), np.uint8),
        searches[0] if searches else None,
    )
    # One search is built in; a second, different one is asked from outside.
    for place, player in enumerate(players):
        seats = np.where(swapped, 1 - place, place)
        rows = np.arange(len(duels))
        control = _find_control(player)
        if control == SEARCH and player is not searches[0] and player != searches[0]:
            control = OUTSIDE
        duels.seats["control"][rows, seats] = control
        if control == TREE:
            duels.seats["page"][rows, seats] = sum(
                isinstance(before, np.ndarray) for before in players[:place]
            )
    # Every active seat is due at the start of a round.
    duels.waiting[:] = duels.seats["control"] == OUTSIDE
    rng = np.random.default_rng(0)
    while True:
        for place, player in enumerate(players):
            own_seats = np.where(swapped, 1 - place, place)
            for seat in range(NUM_SEATS):
                rows = np.flatnonzero(duels.waiting[:, seat] & (own_seats == seat))
                if len(rows):
                    _choose(duels, player, rows, seat, rng)
        duels.play(builtin)
        if not duels.waiting.any():
            return


def _choose(
    duels: Duels, player: Player, rows: np.ndarray, seat: int, rng: np.random.Generator
) -> None:
    """Ask a policy for the placements of waiting seats."""
    assert not isinstance(player, np.ndarray)
    images = duels.images[rows]
    if isinstance(player, SearchPolicy):
        poses = player.choose_placements(pack_images(images, seat))
    else:
        poses = choose_poses(player, images, seat, rng)
    duels.seats["manner"][rows, seat] = PLANNED
    duels.seats["pose"][rows, seat] = np.where(
        (poses == NO_POSE) | (poses >= NUM_POSES), NUM_POSES, poses
    )


def _find_control(player: Player) -> int:
    if isinstance(player, np.ndarray):
        return TREE
    if isinstance(player, SearchPolicy):
        return SEARCH
    if isinstance(player, NoopPolicy):
        return STILL
    if isinstance(player, RandomPolicy):
        return RANDOM
    if player == GreedyPolicy():
        return GREEDY
    return OUTSIDE


def _make_players(pages: np.ndarray, other: Player | None) -> DuelPlayers:
    search = other if isinstance(other, SearchPolicy) else SearchPolicy(weights=TUNED_WEIGHTS)
    return DuelPlayers(
        pages=pages,
        weights=list_weights(search.weights),
        greedy=list_greedy_weights(),
        depth=search.depth,
        width=search.width,
        max_frames=MAX_FRAMES,
    )


def read_solo(duels: Duels) -> SoloResult:
    """Return what became of solo rounds that have ended."""
    return SoloResult(
        cleared=duels.reasons == _CLEAR,
        capsules=duels.totals[:, 0, _CAPSULES].copy(),
        viruses=duels.totals[:, 0, _VIRUSES].copy(),
        frames=duels.frames.copy(),
    )


def play_on(duels: Duels) -> None:
    """Play games between outside players alone on, with the choices that they made."""
    duels.play(_make_players(np.zeros((1, PAGE_SIZE), np.uint8), None))
