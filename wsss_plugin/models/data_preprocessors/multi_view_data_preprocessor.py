"""Data preprocessor for batches of one image or of several views per sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmseg.models.data_preprocessor import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from wsss_plugin.errors import ConfigError, DataError, cut, received


@MODELS.register_module()
class MultiViewDataPreProcessor(SegDataPreProcessor):
    """Stacks, moves and normalises every view of a batch.

    Where ``inputs`` is a dict of views, each becomes (x - mean) / std in the model's channel
    order; where it is a list of images, this is mmseg's own preprocessor, whose arguments it
    takes.

    Args:
        mean (Sequence[float] | None): Mean of each channel, or one for all.
        std (Sequence[float] | None): Standard deviation of each channel, or one for all.
        *args: Further arguments of mmseg's ``SegDataPreProcessor``.
        bgr_to_rgb (bool): Whether images are loaded as BGR and the model expects RGB.
        rgb_to_bgr (bool): The reverse.
        **kwargs: Further arguments of mmseg's ``SegDataPreProcessor``.

    Raises:
        ConfigError: If mean and standard deviation differ in length, or one of the latter is not
            positive.
    """

    def __init__(
        self,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        *args: Any,
        bgr_to_rgb: bool = False,
        rgb_to_bgr: bool = False,
        **kwargs: Any,
    ) -> None:
        _check_normalisation(mean, std)
        exchange = {'bgr_to_rgb': bgr_to_rgb, 'rgb_to_bgr': rgb_to_bgr}
        if mean is None or std is None or len(mean) in (1, 3):
            super().__init__(mean, std, *args, **exchange, **kwargs)
        else:
            # One of the toolboxes refuses other numbers of channels.
            super().__init__([0.0], [1.0], *args, **exchange, **kwargs)
            for name, values in (('mean', mean), ('std', std)):
                self.register_buffer(name, torch.tensor(values).view(-1, 1, 1), False)
        # mmseg keeps this under a private name, which need not last.
        self.swap_channels = bgr_to_rgb or rgb_to_bgr

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Prepares a batch.

        Args:
            data (dict): ``inputs``, a dict of lists of uint8 or float (C, H, W) tensors or one such
                list, and ``data_samples``.
            training (bool): Whether the batch is for training.

        Returns:
            dict: ``inputs``, a dict of float (B, C, H, W) tensors or one tensor, and
            ``data_samples``.

        Raises:
            DataError: The images of a batch or view differ in size.
            ConfigError: Batch augmentation of views is asked for.
        """
        if not isinstance(data['inputs'], Mapping):
            # The toolbox pads the images of a training batch to one size.
            if not training:
                self._require_one_size('inputs', data['inputs'], data.get('data_samples'))
            return super().forward(data, training)
        if self.batch_augments is not None:
            raise ConfigError(
                'batch_augments: expected None with several views per sample, received '
                f'{self.batch_augments!r}; mixing samples would part views from their tags'
            )
        inputs = {}
        for name, view in data['inputs'].items():
            self._require_one_size(f"inputs['{name}']", view, data.get('data_samples'))
            inputs[name] = self._prepare(view)
        return {'inputs': inputs, 'data_samples': self.cast_data(data.get('data_samples'))}

    @staticmethod
    def _require_one_size(
        name: str, images: Sequence[torch.Tensor], samples: Sequence[SegDataSample] | None
    ) -> None:
        first: dict[tuple[int, ...], int] = {}
        for index, image in enumerate(images):
            first.setdefault(tuple(image.shape[-2:]), index)
        if len(first) > 1:
            shown = [
                f'{height}x{width} of {cut(_file(samples, index))}'
                for (height, width), index in first.items()
            ]
            raise DataError(
                f'{name}: expected images of one size in a batch, received '
                f'{" and ".join(shown[:3])}; set '
                'batch_size=1 for the loader, or bring them to one size in its pipeline'
            )

    def _prepare(self, images: Sequence[torch.Tensor]) -> torch.Tensor:
        batch = images if isinstance(images, torch.Tensor) else torch.stack(list(images))
        # One transfer of bytes per view instead of one of floats per image.
        batch = self.cast_data(batch)
        if self.swap_channels and batch.shape[1] == 3:
            batch = batch.flip(1)
        batch = batch.float()
        return (batch - self.mean) / self.std if self._enable_normalize else batch


def _check_normalisation(mean: Sequence[float] | None, std: Sequence[float] | None) -> None:
    lengths = [None if values is None else len(values) for values in (mean, std)]
    if lengths[0] != lengths[1] or 0 in lengths or not all(value > 0 for value in std or ()):
        raise ConfigError(
            'expected mean and std of the data preprocessor with one value for each channel, or '
            f'one for all, and positive std, received mean={received(mean)} and '
            f'std={received(std)}'
        )


def _file(samples: Sequence[SegDataSample] | None, index: int) -> str:
    return (
        samples[index].metainfo.get('img_path', f'image {index}') if samples else f'image {index}'
    )
