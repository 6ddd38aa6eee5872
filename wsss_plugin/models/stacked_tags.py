"""The tags of a batch as one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmseg.structures import SegDataSample
from torch import Tensor


def stacked_tags(data_samples: Sequence[SegDataSample], num_classes: int) -> Tensor:
    """Stacks the tags of a batch.

    Args:
        data_samples: Samples with ``gt_tags`` of shape (K,).
        num_classes: Number of foreground classes K.

    Returns:
        Multi-hot tags of shape (B, K); (0, K) of no sample.

    Raises:
        KeyError: If a sample has no tags.
        ValueError: If the number of tags is not the number of classes.
    """
    for sample in data_samples:
        if 'gt_tags' not in sample:
            raise KeyError(
                f'expected gt_tags in the sample of {sample.get("img_path")}, received none; '
                'use a dataset with tags and PackWSSSInputs in the pipeline'
            )
        if len(sample.gt_tags) != num_classes:
            raise ValueError(
                f'expected {num_classes} tags (num_classes of the CAM head), received '
                f'{len(sample.gt_tags)} for {sample.get("img_path")}; make num_classes equal '
                "to the number of the dataset's foreground classes"
            )
    if not data_samples:
        return torch.zeros(0, num_classes)
    return torch.stack([sample.gt_tags for sample in data_samples])
