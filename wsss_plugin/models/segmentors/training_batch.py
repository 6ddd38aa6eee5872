"""What the losses of a segmentor share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.backbones import TokenFeatures


class TrainingBatch(NamedTuple):
    """One training batch, image and tags and what follows from them.

    Attributes:
        views: Normalised views of the images, each (B, 3, H, W).
        tags: Multi-hot tags, (B, K).
        box: Valid image area (row0, row1, col0, col1) of view 1, (B, 4).
        features: Features of view 1.
        maps: Feature maps of view 1 that the CAM heads read, by name.
        raw_cams: Raw CAMs of view 1 by name, with gradient, (B, K, h, w).
        cams: Normalised multi-scale CAMs of view 1 by name, without gradient, (B, K, H, W).
        data_samples: The samples.
    """

    views: Mapping[str, Tensor]
    tags: Tensor
    box: Tensor
    features: TokenFeatures
    maps: Mapping[str, Tensor]
    raw_cams: Mapping[str, Tensor]
    cams: Mapping[str, Tensor]
    data_samples: list[SegDataSample]
