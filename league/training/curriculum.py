"""Draws how training games begin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from envs.curriculum import Curriculum, read_boards
from envs.starts import EpisodeStart
from league.learning_settings import CurriculumSettings


class GameDraw:
    """Draws as the settings say; in the solo phase solo games alone."""

    def __init__(self, settings: CurriculumSettings) -> None:
        """Prepare the drawing.

        Raises:
            ValueError: The boards are malformed, or there are none where some are asked for.
            OSError: Their file cannot be read.
        """
        self._versus = Curriculum(
            levels=settings.levels,
            level_slope=settings.level_slope,
            speeds=settings.speeds,
            solo=settings.solo_share,
            thinned=settings.thinned,
            boards=read_boards(Path(settings.boards)) if settings.boards else (),
            board_share=settings.board_share,
        )
        self._solo = replace(self._versus, solo=1.0)

    def __call__(self, rng: np.random.Generator, solo: bool) -> EpisodeStart:
        """Draw how a game begins.

        Args:
            rng: A stream of its own.
            solo: Whether it must be a solo game.
        """
        return (self._solo if solo else self._versus)(rng)
