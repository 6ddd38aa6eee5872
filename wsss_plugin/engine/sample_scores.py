"""Scores of a single image, for its picture."""

from __future__ import annotations

from typing import Any

from mmseg.structures import SegDataSample

from wsss_plugin.cam_fields import cam_fields
from wsss_plugin.evaluation.class_rates import class_rates
from wsss_plugin.evaluation.sparse_counts import (
    SparseCounts,
    count_classes,
    count_where_labelled,
    sum_counts,
)
from wsss_plugin.label_fields import label_fields
from wsss_plugin.ops.labels import threshold_label


def sample_scores(
    sample: SegDataSample, num_classes: int, cam_threshold: float, ignore_index: int = 255
) -> dict[str, float]:
    """The mIoU of what was predicted of an image, over the classes that it shows or that were seen.

    Args:
        sample: Sample with any of ``pred_sem_seg``, CAMs and pseudo labels, the latter scored where
            they label; at the size of ``gt_sem_seg``.
        num_classes: Number of classes, background included.
        cam_threshold: Scores up to it are background.
        ignore_index: Value of a label map without class.

    Returns:
        Percentages by field; empty without ``gt_sem_seg``.
    """
    if 'gt_sem_seg' not in sample:
        return {}
    truth = _plane(sample.gt_sem_seg.data).cpu()
    found: dict[str, SparseCounts] = {}
    if 'pred_sem_seg' in sample:
        label = _plane(sample.pred_sem_seg.data).cpu()
        found['pred_sem_seg'] = count_classes([label], truth, num_classes, ignore_index)
    for field in cam_fields(sample.keys()):
        cam = sample.get(field)
        label = threshold_label(_plane(cam.score), _plane(cam.label), cam_threshold).cpu()
        found[field] = count_classes([label], truth, num_classes, ignore_index)
    for field in label_fields(sample.keys()):
        label = _plane(sample.get(field).data).cpu().to(truth)
        found[field] = count_where_labelled(label, truth, num_classes, ignore_index)
    return {
        field: class_rates(sum_counts([counts], num_classes)[0]).means()['mIoU']
        for field, counts in found.items()
    }


def _plane(data: Any) -> Any:
    return data.reshape(data.shape[-2:])
