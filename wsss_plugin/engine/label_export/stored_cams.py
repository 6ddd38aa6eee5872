"""CAMs from a folder of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.datasets.score_folder import ScoreFolder
from wsss_plugin.engine.fingerprints import file_fingerprint
from wsss_plugin.errors import DataError


class StoredCAMs:
    """CAMs that ``tools/export_labels.py --scores cams`` has written, as a network would give them.

    Args:
        folder: The folder.
        images: The images, such as ``ListedImages``.

    Raises:
        MissingFileError: If the folder has no manifest.
        DataError: If it holds something else, of other classes, or lacks images.
    """

    def __init__(self, folder: str | Path, images: Any) -> None:
        self._scores = ScoreFolder(folder)
        self._scores.require(images.classes, images.names, 'the images to label')
        self._images = images

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the folder says of itself."""
        return file_fingerprint(self._scores.manifest_file)

    def __call__(self, sample: SegDataSample, values: Tensor, size: torch.Size) -> Tensor:
        """The CAM of an image.

        Args:
            sample: Its sample.
            values: Values of its classes in a label map, (N,).
            size: Height and width of the network's input.

        Returns:
            CAM (1, N, H, W) in [0, 1], zero where the input is padded.

        Raises:
            DataError: If it is of other classes.
        """
        name = self._images.name(sample.img_path)
        stored, cams = self._scores.cams(name)
        if stored.tolist() != values.tolist():
            raise DataError(
                f'{sample.img_path}: expected CAMs of the classes {values.tolist()} of its tags, '
                f'received those of {stored.tolist()}; export the CAMs again with these tags'
            )
        meta = sample.metainfo
        padding = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
        left, right, top, bottom = padding
        inner = size[0] - top - bottom, size[1] - left - right
        maps = F.interpolate(torch.from_numpy(cams)[None], inner, mode='bilinear')
        if meta.get('flip'):
            maps = maps.flip(-1 if meta.get('flip_direction') == 'horizontal' else -2)
        return F.pad(maps, (left, right, top, bottom))
