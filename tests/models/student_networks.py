"""Tiny students, and batches of fixed maps."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.ops import ViewGeometry

CLASSES, SIDE = 3, 48
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def student_config(**changes: Any) -> dict:
    """Config of a tiny student."""
    config = dict(
        type='WeakSegmentor',
        backbone=dict(
            type='TimmVisionTransformer',
            model_name='vit_tiny_patch16_224',
            model_args=dict(img_size=SIDE, embed_dim=24, depth=2, num_heads=3),
        ),
        decode_head=dict(type='LargeFOVHead', in_channels=24, channels=8, num_classes=CLASSES + 1),
        cams=dict(final=dict(type='CAMHead', in_channels=24)),
        labels=dict(pixel=dict(type='PixelLabels', cams=('final',))),
        terms=dict(cls=dict(type='ClassificationTerm')),
        multi_scale=dict(scales=(1.0,)),
    )
    return copy.deepcopy(config | changes)


def dual_config(terms: dict | None = None, student: dict | None = None, **changes: Any) -> dict:
    """Config of two tiny students with terms between them."""
    student = student_config() if student is None else student
    between = dict(
        apart=dict(type='DiscrepancyTerm'),
        cross=dict(type='CrossSegmentationTerm', labels='pixel'),
        ignored=dict(type='IgnoredConsistencyTerm', labels='pixel', start=10, confidence=0.0),
    )
    config = dict(
        type='DualStudentSegmentor',
        data_preprocessor=dict(type='MultiViewDataPreProcessor', mean=MEAN, std=STD),
        students=dict(first=student, second=copy.deepcopy(student)),
        terms=between if terms is None else terms,
    )
    return config | changes


def build(config: dict, seed: int = 0) -> Any:
    """A segmentor whose random weights depend on the seed."""
    init_default_scope('mmseg')
    torch.manual_seed(seed)
    return MODELS.build(config)


def samples(tags: Any = ((1, 0, 1), (0, 1, 0)), strong: bool = True) -> list[SegDataSample]:
    """Samples with tags, and the geometry of a strong view: smaller and mirrored."""
    made = []
    for row in tags:
        frame = ViewGeometry.of_frame((SIDE, SIDE))
        view = frame.part((0, SIDE, 0, SIDE), flip=True, size=(32, 32))
        meta = dict(ori_shape=(SIDE, SIDE), img_shape=(SIDE, SIDE), box=(0, SIDE, 0, SIDE))
        if strong:
            meta['view_geometry'] = dict(strong=view)
        sample = SegDataSample(metainfo=meta)
        sample.gt_tags = torch.tensor(row, dtype=torch.float32)
        made.append(sample)
    return made


def views(count: int = 2) -> dict[str, Tensor]:
    """Random views."""
    return dict(view1=torch.randn(count, 3, SIDE, SIDE), strong=torch.randn(count, 3, 32, 32))
