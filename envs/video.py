"""Pictures of the game as a video file or as text for a terminal."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import numpy as np

from envs.game.layout import FRAME_RATE

VIDEO_SCALE: Final = 2
"""Video pixels per screen pixel, each way."""
_COLUMN_STEP, _ROW_STEP = 3, 3
"""Every third pixel each way fits the picture into 80 columns."""


class VideoWriter:
    """Writes a video file, H.264 in the container that the file's ending names.

    The file is complete after `close`; use it in a `with` block.
    """

    def __init__(self, path: Path, pictures_per_second: float = FRAME_RATE) -> None:
        """Prepare to write `path`; nothing is written before the first picture.

        Args:
            path: File to write; an existing one is replaced.
            pictures_per_second: Rate of the video; the default shows one picture per frame.
        """
        self._path = path
        self._rate = pictures_per_second
        self._sink: Generator[None, Any, None] | None = None

    def add(self, screen: np.ndarray) -> None:
        """Append a picture, uint8 (height, width, 3), RGB; all must have one size."""
        if self._sink is None:
            self._sink = self._open(screen.shape[1], screen.shape[0])
        self._sink.send(np.ascontiguousarray(screen))

    def close(self) -> None:
        """Finish the file; safe to call twice."""
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self, width: int, height: int) -> Generator[None, Any, None]:
        import imageio_ffmpeg

        self._path.parent.mkdir(parents=True, exist_ok=True)
        scale = f"scale=iw*{VIDEO_SCALE}:ih*{VIDEO_SCALE}:flags=neighbor"
        sink: Generator[None, Any, None] = imageio_ffmpeg.write_frames(
            str(self._path),
            (width, height),
            fps=self._rate,
            output_params=["-vf", scale],
        )
        next(sink)
        return sink


def draw_in_text(screen: np.ndarray) -> str:
    """Return a picture as lines of coloured half blocks for a 24-bit colour terminal.

    Args:
        screen: uint8 (height, width, 3), RGB. A NES picture gives 80 columns and 37 lines.
    """
    small = screen[_ROW_STEP // 2 :: _ROW_STEP, _COLUMN_STEP // 2 :: _COLUMN_STEP]
    lines = []
    for upper, lower in zip(small[0::2].tolist(), small[1::2].tolist(), strict=False):
        cells = [
            f"\x1b[38;2;{u[0]};{u[1]};{u[2]};48;2;{v[0]};{v[1]};{v[2]}m▀"
            for u, v in zip(upper, lower, strict=True)
        ]
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines) + "\n"
