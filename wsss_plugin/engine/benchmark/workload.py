"""Network and batch on which a training iteration is measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from timm.layers import DropPath
from torch import Tensor

from wsss_plugin.ops.view_geometry import ViewGeometry

_INNER = re.compile(r'inner\.(\d+)')


@dataclass(frozen=True)
class Workload:
    """A segmentor with random weights and one random batch, both from a seed.

    Args:
        config: Config file whose ``model`` is a segmentor that is put together from parts.
        vit: Name of the timm transformer that takes the place of the config's; None for the
            config's own.
        size: Height and width of the views in pixels.
        local_size: Height and width of local crops in pixels.
        batch_size: Number of images.
        device: Where it is measured.
        seed: Seed of weights and batch.
        num_foreground: Number of classes besides the background; None for the config's own.

    Raises:
        ValueError: If a size, the batch or the number of classes is too small.
    """

    config: str
    vit: str | None
    size: int
    local_size: int
    batch_size: int
    device: str
    seed: int
    num_foreground: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.local_size <= self.size or self.batch_size < 1:
            raise ValueError(
                'expected 1 <= local size <= size and at least one image, received local size '
                f'{self.local_size}, size {self.size} and {self.batch_size} images'
            )
        if self.num_foreground is not None and self.num_foreground < 1:
            raise ValueError(f'expected num_foreground >= 1, received {self.num_foreground}')

    def segmentor(self) -> Any:
        """Builds the segmentor with all loss terms from the first iteration on.

        Returns:
            The segmentor in training mode on the device.

        Raises:
            ValueError: If the config has no loss terms, or no transformer that could be replaced.
        """
        init_default_scope('mmseg')
        model = Config.fromfile(self.config).model
        if not (members := _put_together(model)):
            raise ValueError(
                f'expected a config with loss terms in model.terms, received none in {self.config} '
                f'(model.type={model.type}); name for example configs/_base_/models/toco_vit_b.py'
            )
        for member in members:
            self._begin(member)
        if self.vit is not None:
            self._replace_transformer(model)
        if self.num_foreground is not None:
            model = _with_classes(model, self.num_foreground)
        model.setdefault('test_cfg', {}).update(cam=bool(model.get('cams')))
        torch.manual_seed(self.seed)
        segmentor = MODELS.build(model).to(self.device).train()
        for module in segmentor.modules():
            # Stochastic depth would leave other blocks out of each variant.
            if isinstance(module, DropPath):
                module.drop_prob = 0.0
        return segmentor

    def _begin(self, model: Any) -> None:
        for term in _present(model.get('terms')):
            term.start = 0
            if 'local_crops' in term:
                term.local_crops.size = self.local_size
        for maker in _present(model.get('labels')):
            for label_filter in _present(maker.get('filters')):
                label_filter.start = 0

    def _replace_transformer(self, model: Any) -> None:
        """Puts the transformer in its place; widths and names of its tokens follow."""
        backbone = model.get('backbone', {})
        vit = backbone.get('vit', backbone)
        if 'model_name' not in vit:
            raise ValueError(
                f'expected a transformer of timm in model.backbone of {self.config} for --model, '
                f'received {vit.get("type")}; leave --model out'
            )
        former = _size_of(vit)
        vit.pop('model_args', None)
        vit.update(model_name=self.vit, pretrained=False)
        width, _ = _size_of(vit)
        parts = ('decode_head', 'decode_reads', 'cams', 'heads', 'labels', 'terms')
        model.update({key: _fitted(model[key], former, width) for key in parts if key in model})

    def batch(self, segmentor: Any) -> tuple[dict[str, Tensor], list[SegDataSample]]:
        """Makes smooth random views, of which one image in two has two classes and padding.

        Args:
            segmentor: The segmentor, which says what views its terms need.

        Returns:
            Normalised views by name, each (B, 3, H, W), and the samples, with tags and masks.
        """
        generator = torch.Generator().manual_seed(self.seed)
        shape = (self.batch_size, 3, self.size, self.size)
        views = {}
        for name in sorted({segmentor.main_view, *segmentor.views}):
            coarse = torch.randn(self.batch_size, 3, 8, 8, generator=generator)
            smooth = F.interpolate(coarse, size=shape[-2:], mode='bicubic')
            fine = 0.1 * torch.randn(shape, generator=generator)
            views[name] = (smooth + fine).to(self.device)
        classes = segmentor.num_foreground
        samples = [self._sample(index, classes) for index in range(self.batch_size)]
        for sample in samples:
            frame = ViewGeometry.of_frame((self.size, self.size))
            sample.set_metainfo(dict(view_geometry=dict.fromkeys(views, frame)))
        return views, samples

    def _sample(self, index: int, num_classes: int) -> SegDataSample:
        padding = self.size // 8 if index % 2 else 0
        sample = SegDataSample(
            metainfo=dict(
                box=(0, self.size - padding, padding, self.size),
                sample_seed=self.seed + index,
                ori_shape=(self.size, self.size),
                img_shape=(self.size, self.size),
            )
        )
        sample.gt_tags = torch.zeros(num_classes, device=self.device)
        mask = torch.zeros(1, self.size, self.size, dtype=torch.long, device=self.device)
        for place in range(1 + index % 2):
            label = (index + place) % num_classes
            sample.gt_tags[label] = 1
            mask[:, place * self.size // 2 :, self.size // 4 :] = label + 1
        sample.gt_sem_seg = PixelData(data=mask)
        return sample

    def __str__(self) -> str:
        network = self.config if self.vit is None else f'{self.vit} under {self.config}'
        return (
            f'{network}, {self.batch_size} x {self.size}x{self.size}, '
            f'local crops {self.local_size}x{self.local_size}, float32, seed {self.seed}'
        )


def _present(parts: Any) -> list[Any]:
    return [part for part in (parts or {}).values() if part is not None]


def _put_together(model: Any) -> list[Any]:
    """Configs that have loss terms: of the segmentor and of those inside it."""
    members = [model, *_present(model.get('students'))]
    return [member for member in members if _present(member.get('terms'))]


def _with_classes(model: Any, num_foreground: int) -> Any:
    """A model for another number of classes; what counts the background goes on doing so."""
    given = set(_class_counts(model))
    former = max(given) - 1 if 'decode_head' in model or len(given) > 1 else max(given)
    return _recounted(model, num_foreground - former)


def _class_counts(part: Any) -> Iterator[int]:
    children = part.items() if isinstance(part, Mapping) else enumerate(part)
    for key, value in children:
        if key == 'num_classes':
            yield value
        elif isinstance(value, (Mapping, list, tuple)):
            yield from _class_counts(value)


def _recounted(part: Any, more: int) -> Any:
    if isinstance(part, (list, tuple)):
        return type(part)(_recounted(value, more) for value in part)
    if not isinstance(part, Mapping):
        return part
    pairs = ((key, _recounted(value, more)) for key, value in part.items())
    return ConfigDict(
        {key: value + more if key == 'num_classes' else value for key, value in pairs}
    )


def _size_of(vit: Mapping[str, Any]) -> tuple[int, int]:
    """Channels and blocks of a transformer."""
    with torch.device('meta'):
        built = MODELS.build(vit)
    return built.embed_dims, len(built.trunk.blocks)


def _fitted(part: Any, former: tuple[int, int], width: int) -> Any:
    """A part of a config for another transformer than that of the former size.

    Inputs of its width get the new one, and tokens of inner blocks are counted from the end.
    """
    if isinstance(part, str):
        return _INNER.sub(lambda found: f'inner.{int(found[1]) - former[1]}', part)
    if isinstance(part, (list, tuple)):
        return type(part)(_fitted(value, former, width) for value in part)
    if not isinstance(part, Mapping):
        return part
    fitted = {key: _fitted(value, former, width) for key, value in part.items()}
    if fitted.get('in_channels') == former[0]:
        fitted['in_channels'] = width
    return fitted
