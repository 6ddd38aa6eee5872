"""The CAM of an image: by the network, by its windows, or from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from wsss_plugin.engine.label_export.present_batch import PresentBatch
from wsss_plugin.engine.label_export.stored_cams import StoredCAMs
from wsss_plugin.errors import ConfigError, DataError
from wsss_plugin.models.batch import Batch
from wsss_plugin.models.windowed_cams import check_window
from wsss_plugin.ops.cam import average_cams


class ImageCAMs:
    """Gives the normalised CAM of the classes that an image has, an average of several sources.

    Args:
        model: The segmentor.
        names: CAM sources to average.
        window: Side and stride of windows in pixels; None for the image as a whole.
        stored: CAMs that are there already; None for those of the network.

    Raises:
        ConfigError: If the stride does not fit the window, or CAMs that are there are to be made.
    """

    def __init__(
        self,
        model: Any,
        names: Sequence[str],
        window: tuple[int, int] | None = None,
        stored: StoredCAMs | None = None,
    ) -> None:
        if window is not None:
            check_window(*window)
            if stored is not None:
                raise ConfigError(
                    'expected --window or --cams-from, received both; windows make CAMs, and those '
                    'of the folder are made'
                )
        self.model = model
        self.names = tuple(names)
        self.window = window
        self.stored = stored

    @property
    def of_network(self) -> bool:
        """Whether the network sees the image as a whole."""
        return self.window is None and self.stored is None

    @property
    def method(self) -> dict[str, Any]:
        """Where the CAM is from, for a manifest."""
        if self.stored is not None:
            return {'cams': ['stored'], 'cams_from': self.stored.fingerprint}
        if self.window is not None:
            return {'cams': list(self.names), 'window': list(self.window)}
        return {'cams': list(self.names)}

    def batch(self, item: Mapping[str, Any]) -> Batch:
        """A batch of one image.

        Args:
            item: ``inputs`` and ``data_samples`` of the image.

        Returns:
            The batch.

        Raises:
            DataError: If the image has no tags.
        """
        data = self.model.data_preprocessor(pseudo_collate([item]), False)
        (sample,) = data['data_samples']
        if 'gt_tags' not in sample:
            raise DataError(
                f'{sample.get("img_path")}: expected the tags of every image to label it, received '
                'none; add its annotation, or take the image from the list'
            )
        return self.model.batch(data['inputs'], [sample])

    def present(self, batch: Batch) -> PresentBatch:
        """The batch with the CAM of the classes that the image has.

        Args:
            batch: The batch.

        Returns:
            A batch that label makers can read.
        """
        return PresentBatch(batch, self._cam(batch))

    def _cam(self, batch: Batch) -> Tensor:
        tags = batch.tags[0] > 0
        if not tags.any():
            return torch.zeros(1, 0, *batch.image.shape[-2:])
        if self.stored is not None:
            values = tags.nonzero()[:, 0] + 1
            return self.stored(batch.data_samples[0], values, batch.image.shape[-2:])
        if self.window is not None:
            return average_cams(batch.windowed_cams(self.names, *self.window))
        return average_cams([cam[:, tags] for cam in batch.cams(self.names)])
