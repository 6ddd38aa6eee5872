"""Masks that the data set has loaded, true ones or stored pseudo labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


def loaded_masks(batch: Batch, argument: str) -> Tensor:
    """The masks of a batch.

    Args:
        batch: The batch, whose samples have ``gt_sem_seg``.
        argument: What the data set needs to load them, for the error.

    Returns:
        Label map (B, H, W), int64; without images of the size of the main view.

    Raises:
        KeyError: If a sample has no mask.
    """
    for sample in batch.data_samples:
        if 'gt_sem_seg' not in sample:
            raise KeyError(
                f'expected a mask for {sample.get("img_path")}, received none; set '
                f'{argument} of the data set and put LoadAnnotations into its pipeline'
            )
    if not batch.data_samples:
        return torch.zeros_like(batch.image[:0, 0], dtype=torch.int64)
    return torch.cat([sample.gt_sem_seg.data for sample in batch.data_samples]).long()
