"""What the parts of a trained model see of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def feature_maps(model: Any, item: dict, names: Sequence[str]) -> dict[str, Tensor]:
    """Features of the backbone, at the original size of the image.

    Args:
        model: A segmentor that is put together from parts, in evaluation mode.
        item: ``inputs`` and ``data_samples`` of a batch of one image.
        names: Names of features that are maps (1, C, h, w).

    Returns:
        Maps (C, H, W) by name.

    Raises:
        ValueError: If there is no such feature, or it is no map.
    """
    batch = _batch(model, item)
    found = batch.main.features(tuple(names)) if names else {}
    for name, feature in found.items():
        if feature.dim() != 4:
            raise ValueError(
                f'expected features that are maps (1, C, h, w), received {name!r} of shape '
                f'{tuple(feature.shape)}; name another one'
            )
    size = batch.data_samples[0].ori_shape[:2]
    return {
        name: F.interpolate(feature, size, mode='bilinear', align_corners=False)[0]
        for name, feature in found.items()
    }


@torch.no_grad()
def filtered_labels(model: Any, item: dict, max_iters: int) -> dict[str, Tensor]:
    """The pixels that filters take out of pseudo labels at the end of a training.

    Args:
        model: A segmentor that is put together from parts, in evaluation mode.
        item: ``inputs`` and ``data_samples``, with tags, of a batch of one image.
        max_iters: Length of the training, from which filters know that they have begun.

    Returns:
        By the name of each label maker of pixels that has filters, the label before the first of
        them, and by ``<maker>, <filter>`` the label after each; (H, W) of the original size.

    Raises:
        KeyError: If the image has no tags.
        ValueError: If no label has a filter.
    """
    makers = {
        name: maker
        for name, maker in model.labels.items()
        if maker.per_pixel and len(getattr(maker, 'filters', ()))
    }
    if not makers:
        raise ValueError(
            f'expected filters of a label maker in model.labels.<name>.filters, received makers '
            f'{sorted(model.labels)} without one; name a config that has filters'
        )
    batch = _batch(model, item)
    batch.iteration, batch.max_iters = max_iters - 1, max_iters
    found = {}
    for name, maker in makers.items():
        label = found[name] = maker.unfiltered(batch)
        for key, label_filter in maker.filters.items():
            label = found[f'{name}, {key}'] = label_filter(batch, label)
    size = batch.data_samples[0].ori_shape[:2]
    return {
        name: F.interpolate(label[:, None].float(), size, mode='nearest')[0, 0].long()
        for name, label in found.items()
    }


def _batch(model: Any, item: dict) -> Any:
    data = model.data_preprocessor(item, False)
    return model.batch(data['inputs'], data['data_samples'])
