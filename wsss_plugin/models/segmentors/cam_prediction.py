"""CAMs and pseudo labels as predictions that can be scored and drawn."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.ops.labels import tagged_maximum


def add_cam_predictions(data_samples: list[SegDataSample], cams: dict[str, Tensor]) -> None:
    """Adds CAMs to data samples that have tags, at the original size of each image.

    Every named CAM becomes ``PixelData(score, label)``: the highest score of the tagged classes,
    shape (1, H, W) in [0, 1], and its class, shape (1, H, W), as a value of a label map (class k
    is k + 1). The true tags mask the CAM, as is usual in this field; a report has to say so.

    Args:
        data_samples: Samples with ``ori_shape`` and, where there are tags, ``gt_tags`` (K,).
        cams: Normalised CAMs of shape (B, K, h, w) by field name.
    """
    for index, sample in enumerate(data_samples):
        if 'gt_tags' not in sample:
            continue
        for name, cam in cams.items():
            maps = _restore(cam[index : index + 1], sample)
            score, label = tagged_maximum(maps, sample.gt_tags[None])
            field = PixelData(score=score, label=label.to(torch.uint8))
            sample.set_data({name: field})


def add_label_prediction(data_samples: list[SegDataSample], field: str, labels: Tensor) -> None:
    """Adds a label map to data samples that have tags, at the original size of each image.

    Args:
        data_samples: Samples with ``ori_shape`` and, where there are tags, ``gt_tags`` (K,).
        field: Name of the ``PixelData(data)``, whose shape is (1, H, W).
        labels: Label maps (B, h, w).
    """
    for sample, label in zip(data_samples, labels, strict=True):
        if 'gt_tags' in sample:
            restored = _restore(label[None, None].float(), sample, mode='nearest')[0]
            sample.set_data({field: PixelData(data=restored.to(label))})


def _restore(cam: Tensor, sample: SegDataSample, mode: str = 'bilinear') -> Tensor:
    """A map without padding and flip of the input, at the original size."""
    # MMSegmentation's own names and order; the first is that of a batch at test time.
    meta = sample.metainfo
    padding = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
    left, right, top, bottom = padding
    height, width = cam.shape[-2:]
    cam = cam[..., top : height - bottom, left : width - right]
    if meta.get('flip'):
        horizontal = meta.get('flip_direction') == 'horizontal'
        cam = cam.flip(-1 if horizontal else -2)
    return F.interpolate(cam, sample.ori_shape[:2], mode=mode)
