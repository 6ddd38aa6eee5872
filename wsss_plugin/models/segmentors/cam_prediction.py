"""CAMs and pseudo labels as predictions that can be scored and drawn."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.cam_fields import cam_field
from wsss_plugin.errors import DataError, listed
from wsss_plugin.label_fields import label_field
from wsss_plugin.models.backbones import smallest_side
from wsss_plugin.ops.labels import tagged_maximum, threshold_label


def check_sizes(model: Any, inputs: Tensor, data_samples: list[SegDataSample] | None) -> None:
    """Checks that the backbone sees something of the images that are predicted.

    Args:
        model: The segmentor.
        inputs: Images (B, 3, H, W).
        data_samples: Their samples.

    Raises:
        DataError: If a side is shorter than a patch; names the image.
    """
    shortest = smallest_side(model.backbone)
    if min(inputs.shape[-2:]) < shortest:
        paths = [sample.get('img_path', 'an image') for sample in data_samples or ()]
        raise DataError(
            f'expected images of at least {shortest} pixels in height and width, one patch, '
            f'received {tuple(inputs.shape[-2:])} for {listed(paths) or "an image"}; enlarge it, '
            'add Resize to the test pipeline, or leave it out of the list'
        )


def predict_by_cam(
    model: Any, inputs: Tensor, data_samples: list[SegDataSample] | None
) -> list[SegDataSample]:
    """Adds the CAM called final and its thresholded form ``pred_sem_seg`` to samples with tags.

    Other CAMs and pseudo labels follow where ``test_cfg`` asks for them.

    Args:
        model: The segmentor, which has no decode head.
        inputs: Normalised images (B, 3, H, W).
        data_samples: Samples with ``gt_tags``.

    Returns:
        The samples.

    Raises:
        KeyError: If there are no tags, without which a CAM says nothing.
    """
    if data_samples is None or any('gt_tags' not in sample for sample in data_samples):
        raise KeyError(
            'expected gt_tags in every data sample for a prediction by CAM, received none; '
            'give tags, or train and use a segmentor with a decode head'
        )
    shown = model.cam_names if model.test_cfg.get('cam', False) else ()
    _add(model, model.batch(inputs, data_samples), data_samples, ('final', *shown))
    for sample in data_samples:
        cam, threshold = sample.cam, model.test_cfg.cam_threshold
        label = threshold_label(cam.score, cam.label.long(), threshold)
        sample.set_data({'pred_sem_seg': PixelData(data=label)})
    return data_samples


@torch.no_grad()
def add_weak_predictions(
    model: Any, inputs: Tensor, predictions: list[SegDataSample]
) -> list[SegDataSample]:
    """Adds CAMs and pseudo labels where ``test_cfg`` asks for them and tags are known.

    Args:
        model: The segmentor.
        inputs: Normalised images (B, 3, H, W).
        predictions: Samples with the segmentation, which are changed.

    Returns:
        The samples.
    """
    with_cam = model.test_cfg.get('cam', False)
    with_label = model.test_cfg.get('pseudo_label', False)
    if not (with_cam or with_label) or not any('gt_tags' in sample for sample in predictions):
        return predictions
    batch = model.batch(inputs, with_known_tags(predictions, model.num_foreground))
    _add(model, batch, predictions, model.cam_names if with_cam else ())
    return predictions


def _add(model: Any, batch: Any, predictions: list[SegDataSample], cam_names: Any) -> None:
    """Adds the CAMs that are named, and the pseudo labels if ``test_cfg`` asks for them."""
    shown = tuple(dict.fromkeys(cam_names))
    with_label = model.test_cfg.get('pseudo_label', False)
    makers = {name: maker for name, maker in model.labels.items() if maker.per_pixel and with_label}
    needed = [name for maker in makers.values() for name in maker.needs(None, None).cams]
    batch.cams(tuple(dict.fromkeys((*shown, *needed))))
    cams = {cam_field(name): cam for name, cam in zip(shown, batch.cams(shown), strict=True)}
    add_cam_predictions(predictions, cams)
    for name in makers:
        add_label_prediction(predictions, label_field(name, len(makers) == 1), batch.label(name))


def with_known_tags(data_samples: list[SegDataSample], num_classes: int) -> list[SegDataSample]:
    """Samples of which those without tags have none of the classes.

    Args:
        data_samples: Samples, some with ``gt_tags``.
        num_classes: Number of foreground classes.

    Returns:
        The samples; new ones in place of those without tags.
    """
    known = []
    for sample in data_samples:
        if 'gt_tags' not in sample:
            sample = SegDataSample(metainfo=sample.metainfo)
            sample.gt_tags = torch.zeros(num_classes)
        known.append(sample)
    return known


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
            maps = restored(cam[index : index + 1], sample)
            score, label = tagged_maximum(maps, sample.gt_tags[None])
            field = PixelData(score=score, label=label.to(_narrowest(maps.shape[1] + 1)))
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
            whole = restored(label[None, None].float(), sample, mode='nearest')[0]
            sample.set_data({field: PixelData(data=whole.to(label))})


def restored(maps: Tensor, sample: SegDataSample, mode: str = 'bilinear') -> Tensor:
    """Maps without padding and flip of the input, at the original size of the image.

    Args:
        maps: Maps (1, N, h, w) at the size of the input.
        sample: Sample of the image.
        mode: How maps are resized.

    Returns:
        Maps (1, N, H, W).
    """
    # MMSegmentation's own names and order; the first is that of a batch at test time.
    meta = sample.metainfo
    padding = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
    left, right, top, bottom = padding
    height, width = maps.shape[-2:]
    maps = maps[..., top : height - bottom, left : width - right]
    if meta.get('flip'):
        horizontal = meta.get('flip_direction') == 'horizontal'
        maps = maps.flip(-1 if horizontal else -2)
    return F.interpolate(maps, sample.ori_shape[:2], mode=mode)


def _narrowest(classes: int) -> torch.dtype:
    """The smallest type of whole numbers that holds as many classes and an ignored one."""
    return torch.uint8 if classes < 255 else torch.int16
