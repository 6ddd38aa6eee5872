"""A network of a few hundred weights in which any part can stand, and what it is fed."""

from __future__ import annotations

import re
from typing import Any

import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from wsss_plugin.ops import ViewGeometry

CLASSES, WIDTH, SIDE, CELL = 3, 8, 24, 4
IMAGES = 4
_PART = re.compile(r'(students\.\w+\.)?(backbone|decode_head|(cams|heads|labels|terms)\.\w+)')
_LEVELS = tuple(f'level{index}' for index in range(5))
FEATURES = ('patch', 'class', 'class_tokens', 'class_to_patch', 'patch_to_patch', *_LEVELS)

# Heads that read the features of the tiny backbone.
AFFINITY_HEAD = dict(
    type='AffinityHead',
    in_channels=(WIDTH, WIDTH),
    channels=(4, 4),
    radius=2,
    reads=_LEVELS[:2],
)
IRN_HEAD = dict(
    type='IRNHead',
    in_channels=(WIDTH,) * 5,
    scales=(1,) * 5,
    reads=_LEVELS,
    channels=(8, 16, 16),
    edge_channels=4,
    radius=2,
)


class TinyBackbone(nn.Module):
    """Smooth features of every kind, each of weights that no other feature has.

    Attributes:
        asked: The images that it was given, with the names of the features.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Tensor, tuple[str, ...]]] = []
        self.maps = nn.ModuleDict(
            {
                name: nn.Conv2d(3, CLASSES if name == 'class_to_patch' else WIDTH, CELL, CELL)
                for name in FEATURES
            }
        )

    def check_feature(self, name: str) -> None:
        if name not in FEATURES:
            raise ValueError(f'expected a feature among {FEATURES}, received {name!r}')

    def forward_features(
        self, image: Tensor, names: Any, reduce: Any = None, context: Any = None
    ) -> dict[str, Tensor]:
        del reduce, context
        self.asked.append((image, tuple(names)))
        return {name: self._feature(name, self.maps[name](image)) for name in names}

    @staticmethod
    def _feature(name: str, maps: Tensor) -> Tensor:
        if name == 'class':
            return maps.tanh().mean(dim=(2, 3))
        if name == 'class_tokens':
            return maps.tanh().mean(dim=(2, 3)).unflatten(1, (1, WIDTH)).tile(1, CLASSES, 1)
        if name == 'class_to_patch':
            return maps.sigmoid()
        if name == 'patch_to_patch':
            tokens = maps.flatten(2)
            return (tokens.transpose(1, 2) @ tokens).softmax(dim=2)
        return 2 * maps.tanh()


def network(**parts: Any) -> dict[str, Any]:
    """Config of a segmentor: a CAM source, its classification, and further parts.

    Args:
        parts: Configs by name of ``cams``, ``heads``, ``labels`` and ``terms``.
    """
    head = dict(type='CAMHead', in_channels=WIDTH, pooling='avg')
    config = dict(
        type='WeakSegmentor',
        data_preprocessor=dict(
            type='MultiViewDataPreProcessor', mean=(120.0,) * 3, std=(60.0,) * 3
        ),
        backbone=dict(type=TinyBackbone),
        decode_head=dict(
            type='LargeFOVHead', in_channels=WIDTH, channels=8, dilation=1, num_classes=CLASSES + 1
        ),
        multi_scale=dict(scales=(1.0, 0.5)),
        thresholds=dict(low=0.35, high=0.6),
        cams=dict(final=head),
        terms=dict(cls=dict(type='ClassificationTerm', cams=('final',))),
    )
    for kind, added in parts.items():
        config[kind] = {**config.get(kind, {}), **added}
    return config


def build(config: dict[str, Any]) -> Any:
    """The segmentor in double precision, always with the same weights."""
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(config)
    for weight in model.parameters():
        # The published initial weights are so small that no class would differ.
        weight.data.normal_(std=0.3)
    return model.double()


def part_of(name: str) -> str:
    """The part of a segmentor that has a parameter, such as 'cams.final'."""
    return _PART.match(name)[0]


def views(images: int = IMAGES) -> dict[str, Tensor]:
    """Every view that a part may read."""
    generator = torch.Generator().manual_seed(0)
    shape = (IMAGES, 3, SIDE, SIDE)
    made = {
        name: torch.randn(shape, generator=generator, dtype=torch.float64)
        for name in ('view1', 'view2', 'local', 'strong')
    }
    return {name: view[:images] for name, view in made.items()}


def samples(label_side: int = SIDE, labels: int = CLASSES + 1) -> list[SegDataSample]:
    """Samples with one or two tags each, a mask with ignored pixels and a box.

    Args:
        label_side: Side of the masks.
        labels: Number of different values of the masks.
    """
    generator = torch.Generator().manual_seed(1)
    tags = torch.eye(CLASSES).repeat(2, 1)[:IMAGES]
    tags[:, 0] = 1
    made = []
    for index in range(IMAGES):
        size = (1, label_side, label_side)
        mask = torch.randint(labels, size, generator=generator, dtype=torch.uint8)
        mask[:, 0] = 255
        made.append(_sample(index, tags[index].double(), mask, (0, SIDE, 0, SIDE - 4 * index)))
    return made


def empty_samples(label_side: int = SIDE, label: int = 255) -> list[SegDataSample]:
    """Samples without tags, with a mask of one value, of images that are all padding."""
    mask = torch.full((1, label_side, label_side), label, dtype=torch.uint8)
    nothing = torch.zeros(CLASSES, dtype=torch.float64)
    return [_sample(index, nothing, mask, (0, 0, 0, 0)) for index in range(IMAGES)]


def _sample(index: int, tags: Tensor, mask: Tensor, box: Any) -> SegDataSample:
    frame = ViewGeometry.of_frame((SIDE, SIDE))
    strong = frame.part((0, SIDE, 0, SIDE), flip=True, size=(SIDE, SIDE))
    sample = SegDataSample(
        metainfo=dict(sample_seed=index, box=box, view_geometry=dict(strong=strong))
    )
    sample.gt_tags = tags.clone()
    sample.gt_sem_seg = PixelData(data=mask.clone())
    return sample


def directional_derivative(function: Any, weights: Any, step: float = 1e-6) -> Tensor:
    """The numerical derivative of a function of weights along their gradients.

    Args:
        function: Gives a scalar.
        weights: The weights, whose gradients are set.
        step: How far to go.
    """
    values = []
    with torch.no_grad():
        for sign in (1, -2):
            for weight in weights:
                weight.add_(weight.grad, alpha=sign * step)
            values.append(function())
        for weight in weights:
            weight.add_(weight.grad, alpha=step)
    return (values[0] - values[1]) / (2 * step)
