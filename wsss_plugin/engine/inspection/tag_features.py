"""What a trained network sees in each image, as one row of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.utils import track_iter_progress
from torch import Tensor

from wsss_plugin.engine.label_export import ListedImages
from wsss_plugin.models.forward_pass import ForwardPass
from wsss_plugin.models.phase_plan import features_of

_BATCH = 16


@torch.no_grad()
def tag_features(model: Any, images: ListedImages) -> np.ndarray:
    """Features of the backbone, pooled by mean and by maximum.

    Tags are not used.

    Args:
        model: The segmentor in evaluation mode.
        images: The images.

    Returns:
        Features (N, D), float32.
    """
    rows: list[np.ndarray] = []
    shown = getattr(model, 'shown', model)
    for items in _batches(images):
        image = model.data_preprocessor(pseudo_collate(items), False)['inputs']
        pooled = [part for one in _maps(shown, image) for part in _pooled(one)]
        rows.extend(torch.cat(pooled, dim=1).cpu().numpy().astype(np.float32))
    return np.stack(rows)


def _batches(images: ListedImages) -> Iterator[list[dict[str, Any]]]:
    """Images of one size that follow each other, which the network sees together."""
    batch: list[dict[str, Any]] = []
    for name in track_iter_progress(list(images.names)):
        item = images.item(name)
        other = batch and item['inputs'].shape != batch[0]['inputs'].shape
        if other or len(batch) == _BATCH:
            yield batch
            batch = []
        batch.append(item)
    yield batch


def _maps(model: Any, image: Tensor) -> list[Tensor]:
    if not hasattr(model, 'cams'):
        return list(model.extract_feat(image))
    names = features_of(model, model.cam_names) or tuple(model.decode_reads)
    return list(ForwardPass(model, image, None, names).features(names).values())


def _pooled(feature: Tensor) -> list[Tensor]:
    """Of a map its mean and its maximum over the image, of a vector itself."""
    if feature.ndim < 4:
        return [feature.flatten(1)]
    flat = feature.flatten(2)
    return [flat.mean(dim=2), flat.amax(dim=2)]
