"""What is read of a prediction that is scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_plugin.errors import ConfigError


def true_label(sample: Mapping[str, Any], num_classes: int, ignore_index: int) -> Tensor:
    """The true label map.

    Args:
        sample: The prediction as a dictionary.
        num_classes: Number of classes.
        ignore_index: Value that does not count.

    Returns:
        Label map (H, W).

    Raises:
        KeyError: If there is no mask.
        ConfigError: If it is a pseudo label.
        ValueError: If it holds a value that is no class.
    """
    if 'gt_sem_seg' not in sample:
        raise KeyError(
            f'expected gt_sem_seg of {image_name(sample)}, received none; add LoadAnnotations to '
            'the test pipeline, or set format_only=True for a split without masks'
        )
    if sample.get('label_dir') is not None:
        raise ConfigError(
            f'expected the true mask of {image_name(sample)}, received a pseudo label of '
            f'{sample["label_dir"]}; remove label_dir from the data set that is scored'
        )
    label = plane(sample['gt_sem_seg']['data'])
    wrong = label[(label != ignore_index) & (label >= num_classes)]
    if wrong.numel():
        raise ValueError(
            f'expected values 0 to {num_classes - 1} or {ignore_index} in the mask of '
            f'{image_name(sample)}, received {int(wrong.max())}; check its class ids and the '
            "data set's METAINFO['classes']"
        )
    return label


def crf_probabilities(sample: Mapping[str, Any], label: Tensor, num_classes: int) -> np.ndarray:
    """The probabilities that a CRF refines.

    Args:
        sample: The prediction as a dictionary.
        label: Its label map (H, W).
        num_classes: Number of classes.

    Returns:
        Probabilities (C, H, W), float16.

    Raises:
        KeyError: If there are no logits.
        ValueError: If they are of other classes.
        RuntimeError: If they do not belong to the label map.
    """
    name = image_name(sample)
    if 'seg_logits' not in sample:
        raise KeyError(
            f'expected seg_logits of {name} for the CRF, received {sorted(sample)}; '
            'use a segmentor with a decode head, or leave the CRF off'
        )
    logits = sample['seg_logits']['data']
    if logits.shape[0] != num_classes:
        raise ValueError(
            f'expected seg_logits of {num_classes} classes for the CRF of {name}, received '
            f'{logits.shape[0]}; check num_classes of decode_head'
        )
    if not torch.equal(logits.argmax(dim=0).to(label), label):
        raise RuntimeError(
            f'expected seg_logits of {name} whose arg-max is pred_sem_seg, received '
            'those of one augmentation; use ScaleMaxTTAModel, which fuses the logits, to '
            'combine test-time augmentation with a CRF'
        )
    return logits.float().softmax(dim=0).half().cpu().numpy()


def plane(data: Tensor) -> Tensor:
    """A map (H, W) of one that has a channel (1, H, W)."""
    return data.reshape(data.shape[-2:])


def image_name(sample: Mapping[str, Any]) -> str:
    """The file of the image."""
    return str(sample.get('img_path', 'an image without img_path'))


def image_groups(sample: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups that the image is in."""
    groups = sample.get('groups') or ()
    return (groups,) if isinstance(groups, str) else tuple(groups)


def image_size(sample: Mapping[str, Any], key: str) -> tuple[int, int] | None:
    """Height and width under a key, None where they are unknown."""
    shape = sample.get(key)
    return None if shape is None else (int(shape[0]), int(shape[1]))
