"""Video files and pictures in the terminal."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from envs.video import VideoWriter, draw_in_text


def make_screen(red: int) -> np.ndarray:
    screen = np.zeros((224, 240, 3), np.uint8)
    screen[:, :, 0] = red
    return screen


def read_video(path: Path) -> np.ndarray:
    """Return the pictures of a video, uint8 (pictures, 448, 480, 3)."""
    decode = ["-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *decode]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, 448, 480, 3)


def test_video_holds_every_picture_at_double_size(tmp_path: Path) -> None:
    path = tmp_path / "made" / "game.mp4"
    with VideoWriter(path, pictures_per_second=30) as writer:
        for picture in range(12):
            writer.add(make_screen(20 * picture))
    pictures = read_video(path)
    assert pictures.shape == (12, 448, 480, 3)
    shades = pictures[..., 0].mean(axis=(1, 2))
    assert (np.diff(shades) > 10).all()
    _, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert seconds == pytest.approx(12 / 30, abs=0.02)


def test_nothing_is_written_without_a_picture(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "empty.mp4"):
        pass
    assert not list(tmp_path.iterdir())


def test_text_picture_fits_a_terminal() -> None:
    screen = make_screen(0)
    screen[:112] = (255, 128, 0)
    lines = draw_in_text(screen).splitlines()
    assert len(lines) == 37
    assert all(line.count("▀") == 80 for line in lines)
    assert "38;2;255;128;0" in lines[0]
    assert "255" not in lines[-1]
