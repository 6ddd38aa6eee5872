"""Images of which a folder has masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from PIL import Image
from torch import Tensor

from wsss_plugin.datasets import spread_indices
from wsss_plugin.datasets.masks import require_readable_mask
from wsss_plugin.engine.label_export import ListedImages
from wsss_plugin.errors import ConfigError, DataError, MissingFileError

FEWEST_MASKS = 30


class MaskedImages:
    """The images of a split that have a mask in a folder.

    Args:
        config: The config.
        split: 'train', 'val' or 'test', whose dataloader has the data set.
        folder: Folder of ``<name>.png`` with the numbers of the data set's masks.
        number: Number of masks at most, spread over them; None for all.

    Attributes:
        images: All images of the split.
        files: Masks by the name of the image.

    Raises:
        ConfigError: If ``number`` is below 30.
        DataError: If there are fewer than 30 masks.
        MissingFileError: If there is no such folder.
    """

    def __init__(
        self, config: Config, split: str, folder: str | Path, number: int | None = None
    ) -> None:
        if not Path(folder).is_dir():
            raise MissingFileError(
                f'expected a folder of masks at {folder}, found none; correct the path'
            )
        if number is not None and number < FEWEST_MASKS:
            raise ConfigError(
                f'expected to judge {FEWEST_MASKS} images or more beside masks, received {number}; '
                'raise --num'
            )
        self.images = ListedImages(config, split)
        found = {name: Path(folder, f'{name}.png') for name in self.images.names}
        present = [name for name, path in found.items() if path.is_file()]
        if len(present) < FEWEST_MASKS:
            raise DataError(
                f'{folder}: expected masks <name>.png of {FEWEST_MASKS} images of {split} or more, '
                f'received {len(present)}; draw more, or judge without --masks'
            )
        if number is not None:
            present = [present[index] for index in spread_indices(len(present), number)]
        self.files = {name: found[name] for name in present}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the images with masks."""
        return tuple(self.files)

    def truth(self, name: str) -> Tensor:
        """Reads a mask as class numbers.

        Args:
            name: Name of the image.

        Returns:
            Classes (H, W), int64, 255 where ignored.

        Raises:
            DamagedFileError: If the mask is damaged.
            DataError: If the file is no map of labels.
        """
        path = self.files[name]
        require_readable_mask(str(path))
        with Image.open(path) as image:
            values = np.array(image)
        lookup = np.arange(256)
        for value, number in (self.images.label_map or {}).items():
            lookup[value] = number
        return torch.from_numpy(lookup[values])
