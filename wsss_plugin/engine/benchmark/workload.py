"""Network and batch on which a training iteration is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

_TOKEN_HEADS = ('decode_head', 'cam_head', 'aux_cam_head', 'projection_head')


@dataclass(frozen=True)
class Workload:
    """A segmentor with random weights and one random batch, both from a seed.

    Args:
        config: Config file whose ``model`` is a ``TokenContrastSegmentor`` or a subclass.
        vit: Name of the timm transformer that takes the place of the config's.
        size: Height and width of the views in pixels.
        local_size: Height and width of the local crops in pixels.
        batch_size: Number of images.
        device: Where it is measured.
        seed: Seed of weights and batch.

    Raises:
        ValueError: If a size or the batch is too small.
    """

    config: str
    vit: str
    size: int
    local_size: int
    batch_size: int
    device: str
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.local_size <= self.size or self.batch_size < 1:
            raise ValueError(
                'expected 1 <= local size <= size and at least one image, received local size '
                f'{self.local_size}, size {self.size} and {self.batch_size} images'
            )

    def segmentor(self) -> Any:
        """Builds the segmentor with all losses from the first iteration on.

        Returns:
            The segmentor in training mode on the device.

        Raises:
            ValueError: If the config has no segmentor that learns from token contrast.
        """
        init_default_scope('mmseg')
        model = Config.fromfile(self.config).model
        if 'loss_ctc' not in model:
            raise ValueError(
                f'expected a config of a TokenContrastSegmentor, received model.type={model.type} '
                f'in {self.config}; name for example configs/_base_/models/toco_vit_b.py'
            )
        vit = model.backbone.get('vit', model.backbone)
        vit.update(model_name=self.vit, pretrained=False, inner_blocks=(-3,))
        torch.manual_seed(self.seed)
        for head in _TOKEN_HEADS:
            model[head].in_channels = MODELS.build(vit).embed_dims
        model.loss_starts = {}
        model.setdefault('local_crops', {})['size'] = self.local_size
        return MODELS.build(model).to(self.device).train()

    def batch(self, num_classes: int) -> tuple[dict[str, Tensor], list[SegDataSample]]:
        """Makes smooth random views, of which one image in two has two classes and padding.

        Args:
            num_classes: Number of foreground classes.

        Returns:
            Normalised views by name, each (B, 3, H, W), and the samples.
        """
        generator = torch.Generator().manual_seed(self.seed)
        shape = (self.batch_size, 3, self.size, self.size)
        views = {}
        for name in ('view1', 'view2', 'local'):
            coarse = torch.randn(self.batch_size, 3, 8, 8, generator=generator)
            smooth = F.interpolate(coarse, size=shape[-2:], mode='bicubic')
            fine = 0.1 * torch.randn(shape, generator=generator)
            views[name] = (smooth + fine).to(self.device)
        samples = [self._sample(index, num_classes) for index in range(self.batch_size)]
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
        for label in range(1 + index % 2):
            sample.gt_tags[(index + label) % num_classes] = 1
        return sample

    def __str__(self) -> str:
        return (
            f'{self.vit} under {self.config}, {self.batch_size} x {self.size}x{self.size}, '
            f'local crops {self.local_size}x{self.local_size}, float32, seed {self.seed}'
        )
