"""The images of a file, a folder or a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from wsss_plugin.datasets.image_files import IMAGE_SUFFIXES, find_images
from wsss_plugin.datasets.transforms.load_image_bands import LoadImageBands
from wsss_plugin.datasets.transforms.load_image_or_raise import LoadImageOrRaise
from wsss_plugin.errors import ConfigError, DamagedFileError, DataError, MissingFileError, cut

VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm')

Read = Callable[[], np.ndarray]


class PredictionInputs:
    """Names of images, and how each is read, one at a time.

    The images of a folder are those of its sub-folders too, without hidden ones. A frame of a video
    has its number, from 0, behind the name of the video.

    Args:
        path: An image, a folder or a video.
        every: Of a video, each how many-th frame is taken.
        load: Loads images of many bands; None for RGB images of 8 bits.

    Raises:
        ConfigError: If ``every`` is below 1, or above it and the path is no video; or the images
            have many bands and the path is a video.
        DamagedFileError: If a video cannot be opened.
        DataError: If there are no images, two have one name, or a file is of another kind.
        MissingFileError: If there is no such path.
    """

    def __init__(
        self, path: str | Path, every: int = 1, load: LoadImageBands | None = None
    ) -> None:
        self.path = Path(path)
        self._every = every
        self._load = load
        if not self.path.exists():
            raise MissingFileError(
                f'expected an image, a folder or a video, received {self.path}, which does not '
                'exist; check the path'
            )
        self.is_video = self.path.is_file() and self.path.suffix.lower() in VIDEO_SUFFIXES
        if every < 1 or (every > 1 and not self.is_video):
            raise ConfigError(
                f'expected --every from 1 for frames of a video, received {every} for {self.path}; '
                'leave it out'
            )
        if self.is_video and load is not None:
            raise ConfigError(
                f'expected images of {load.in_channels} bands, as the config loads them, received '
                f'the video {cut(self.path)}; give an image or a folder'
            )
        self._images = {} if self.is_video else _named(_images(self.path))
        self._frames = _opened(self.path)[1] if self.is_video else 0

    def __len__(self) -> int:
        """Number of images; of a video what the file says, which may be wrong, 0 if it does not."""
        return -(-self._frames // self._every) if self.is_video else len(self._images)

    def __iter__(self) -> Iterator[tuple[str, Read]]:
        """Names, and functions that give RGB images (H, W, 3), uint8, or bands (H, W, C).

        A function may be called until the next name is asked for.
        """
        if self.is_video:
            yield from self._video()
            return
        read = (
            partial(_rgb, LoadImageOrRaise()) if self._load is None else partial(_bands, self._load)
        )
        for name, path in self._images.items():
            yield name, partial(read, path)

    def _video(self) -> Iterator[tuple[str, Read]]:
        capture, _ = _opened(self.path)
        index = 0
        try:
            while capture.grab():
                if index % self._every == 0:
                    name = f'{self.path.stem}_{index:06d}'
                    yield name, partial(_frame, capture, self.path, name)
                index += 1
        finally:
            capture.release()
        if index < self._frames:
            # Said at the end, when all that can be read is there.
            raise DamagedFileError(
                f'{self.path}: expected {self._frames} frames, as the file says, received {index}; '
                'the rest could not be read: replace the file if it was cut short'
            )


def _images(path: Path) -> dict[str, Path]:
    if path.is_file():
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            raise DataError(
                f'{cut(path)}: expected an image ({", ".join(IMAGE_SUFFIXES)}) or a video '
                f'({", ".join(VIDEO_SUFFIXES)}), received another file; convert it'
            )
        return {path.name: path}
    images = find_images(path)
    if not images:
        raise DataError(
            f'{cut(path)}: expected images ({", ".join(IMAGE_SUFFIXES)}) in the folder or its '
            'sub-folders, received none; name another folder, or a video itself'
        )
    return images


def _named(images: dict[str, Path]) -> dict[str, Path]:
    """Images by their names without suffix, by which results are named."""
    named: dict[str, Path] = {}
    for relative, path in images.items():
        name = Path(relative).with_suffix('').as_posix()
        if name in named:
            raise DataError(
                f'{cut(path)}: expected images whose names differ beyond their suffix, since masks '
                f'are named by them, received {cut(named[name].name)} too; rename or move one'
            )
        named[name] = path
    return named


def _rgb(load: LoadImageOrRaise, path: Path) -> np.ndarray:
    return np.ascontiguousarray(load({'img_path': str(path)})['img'][..., ::-1])


def _bands(load: LoadImageBands, path: Path) -> np.ndarray:
    return load({'img_path': str(path)})['img']


def _frame(capture: Any, path: Path, name: str) -> np.ndarray:
    there, frame = capture.retrieve()
    if not there:
        raise DamagedFileError(f'{path}: expected a frame for {name}, received a damaged one')
    return np.ascontiguousarray(frame[..., ::-1])


def _opened(path: Path) -> tuple[Any, int]:
    """A video at its begin, and the number of frames that it says to have, 0 if it does not."""
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise DamagedFileError(
            f'{cut(path)}: expected a video that OpenCV can read, received a damaged or '
            'unsupported file; convert it, for example to MJPG in an .avi file'
        )
    return capture, max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
