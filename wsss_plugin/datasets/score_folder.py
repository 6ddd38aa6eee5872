"""Scores of CAMs as files, from which labels are made again and again."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import torch

from wsss_plugin.datasets.label_manifest import MANIFEST_FILE, LabelManifest
from wsss_plugin.errors import DataError
from wsss_plugin.ops.confident_labels import confident_label
from wsss_plugin.whole_file import whole_file

CAM_SCORES = 'CAM scores'
ALPHA_SCORES = 'alpha scores'
# Cells of 4 pixels, as AMR's and ReCAM's stored CAMs have.
STRIDE = 4


class ScoreFolder:
    """A folder of ``.npz`` files that ``tools/export_labels.py --scores`` has written.

    Each has ``values``, those of the image's classes in a label map. Of CAM scores it has ``cams``
    (N, h, w), float16 in [0, 1], a cell for 4 x 4 pixels. Of alpha scores it has ``low`` and
    ``high`` (N + 1, H, W), uint8 of 0 to 255, channel 0 the background.

    Args:
        folder: The folder.
        kind: ``CAM_SCORES`` or ``ALPHA_SCORES``.

    Raises:
        MissingFileError: If it has no manifest.
        DataError: If it holds something else.
    """

    def __init__(self, folder: str | Path, kind: str = CAM_SCORES) -> None:
        self.manifest = LabelManifest.read(folder, kind)
        self.folder = Path(folder)

    @property
    def manifest_file(self) -> Path:
        """The file that says what the folder holds."""
        return self.folder / MANIFEST_FILE

    def require(self, classes: Sequence[str], names: Collection[str], source: str) -> None:
        """Checks that the scores are those of some images and classes.

        Args:
            classes: The classes, the background first.
            names: Names of the images, without suffix.
            source: What lists them, for the error.

        Raises:
            DataError: If they are others.
        """
        self.manifest.require_classes(classes)
        self.manifest.require_images(names, source)

    def cams(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The CAMs of an image.

        Args:
            name: Its name.

        Returns:
            Values of its classes in a label map, (N,), and their CAMs (N, h, w), float32 in [0, 1].

        Raises:
            DataError: If the file is missing or damaged.
        """
        values, cams = read_scores(score_path(self.folder, name), 'values', 'cams')
        return values, cams.astype(np.float32)

    def alphas(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The scores of an image with both alphas.

        Args:
            name: Its name.

        Returns:
            Values of its classes, (N,), and the scores with the low and with the high alpha, each
            (N + 1, H, W), float32 in [0, 1], channel 0 the background.

        Raises:
            DataError: If the file is missing or damaged.
        """
        path = score_path(self.folder, name)
        values, low, high = read_scores(path, 'values', 'low', 'high')
        return values, low.astype(np.float32) / 255, high.astype(np.float32) / 255

    def label(self, name: str, ignore_index: int = 255) -> np.ndarray:
        """The label of :func:`wsss_plugin.ops.confident_label` by the scores with both alphas.

        Args:
            name: Name of the image.
            ignore_index: Value of pixels without label.

        Returns:
            Label map (H, W), int64.
        """
        values, low, high = self.alphas(name)
        by_low, by_high = torch.from_numpy(low)[None], torch.from_numpy(high)[None]
        local = confident_label(by_low, by_high, ignore_index=-1)[0].numpy()
        return np.concatenate(([0], values, [ignore_index]))[local]


def score_path(folder: str | Path, name: str) -> Path:
    """Where a folder of scores has those of an image.

    Args:
        folder: The folder.
        name: Name of the image, with its sub-folders and without suffix.

    Returns:
        The path.

    >>> score_path('scores', 'garden/rex.1').as_posix()
    'scores/garden/rex.1.npz'
    """
    return Path(folder, f'{name}.npz')


def write_scores(path: str | Path, **arrays: np.ndarray) -> None:
    """Writes the scores of an image, compressed.

    Args:
        path: The file.
        **arrays: Arrays by name.
    """
    with whole_file(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def read_scores(path: str | Path, *names: str) -> tuple[np.ndarray, ...]:
    """Reads the scores of an image.

    Args:
        path: The file.
        *names: Names of the arrays.

    Returns:
        The arrays.

    Raises:
        DataError: If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return tuple(arrays[name] for name in names)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f'{path}: expected scores named {list(names)}, received a file that is missing, '
            f'damaged or of another kind ({error}); export them again by the same command'
        ) from error


def to_bytes(scores: np.ndarray) -> np.ndarray:
    """Scores in 8 bits, of which the largest stays the largest.

    Args:
        scores: Scores (N, H, W) in [0, 1].

    Returns:
        uint8 (N, H, W), ``255 * scores`` rounded; where that makes two largest ones of one, the
        largest is one higher, or the others are one lower.

    >>> to_bytes(np.array([0.4999, 0.5001, 0]).reshape(3, 1, 1)).ravel().tolist()
    [127, 128, 0]
    >>> to_bytes(np.array([0.499, 0.4991, 0.0019]).reshape(3, 1, 1)).ravel().tolist()
    [127, 128, 0]
    """
    rounded = np.rint(np.clip(scores, 0, 1) * 255).astype(np.int16)
    winner = scores.argmax(axis=0)[None]
    wrong = rounded.argmax(axis=0)[None] != winner
    largest = rounded.max(axis=0, keepdims=True)
    full = wrong & (largest == 255)
    rounded = np.where(full, np.minimum(rounded, 254), rounded)
    lifted = np.where(wrong, np.minimum(largest + 1, 255), np.take_along_axis(rounded, winner, 0))
    np.put_along_axis(rounded, winner, lifted, axis=0)
    return rounded.astype(np.uint8)
