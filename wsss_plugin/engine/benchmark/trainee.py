"""A training whose iterations are timed by part."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.engine.benchmark.part_timer import PartTimer

VARIANTS = ('package', 'plain')

_PARTS = (
    'main forward',
    'CAM passes',
    'refinement',
    'contrast passes',
    'CNN branch',
    'losses and labels',
    'backward',
    'optimiser step',
)


class Trainee:
    """One of two formulations of the same training, with weights and optimiser of its own.

    Args:
        variant: 'package' for the segmentor's own losses, 'plain' for ``plain_losses``, where the
            attention matrix is written out, too.
        segmentor: A ``TokenContrastSegmentor``; copied.
        inputs: Normalised views by name, each (B, 3, H, W).
        samples: Their data samples.
        plain_losses: Called with segmentor, inputs, samples and ``PartTimer.part``; gives losses
            by name.
        device: Where it runs.

    Raises:
        ValueError: If ``variant`` is unknown.
    """

    def __init__(
        self,
        variant: str,
        segmentor: Any,
        inputs: Mapping[str, Tensor],
        samples: Sequence[SegDataSample],
        plain_losses: Callable[..., dict[str, Tensor]],
        device: str,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f'expected variant in {VARIANTS}, received {variant!r}')
        self.variant = variant
        self.segmentor = copy.deepcopy(segmentor)
        self.inputs = inputs
        self.samples = list(samples)
        self.plain_losses = plain_losses
        self.timer = PartTimer(device)
        if variant == 'plain':
            for block in self.segmentor.transformer.trunk.blocks:
                block.attn.fused_attn = False
        trained = [weight for weight in self.segmentor.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=6e-5, weight_decay=0.01)

    def losses(self) -> dict[str, Tensor]:
        """Runs the forward passes of an iteration.

        Returns:
            Weighted losses by name.
        """
        model = self.segmentor
        if self.variant == 'plain':
            return self.plain_losses(model, self.inputs, self.samples, self.timer.part)
        methods = {
            (model, 'training_batch'): 'main forward',
            (model, 'multi_scale_cams'): 'CAM passes',
            (model, 'class_token_losses'): 'contrast passes',
            (model, 'pseudo_label'): 'refinement',
            (model.decode_head, 'forward'): 'main forward',
        }
        if 'cnn' in model.cam_heads:
            methods[model.backbone, 'forward_cnn'] = 'CNN branch'
        with self.timer.attached(methods):
            losses = model.loss(self.inputs, self.samples)
        return {name: value for name, value in losses.items() if 'loss' in name}

    def iterate(self) -> tuple[dict[str, float], dict[str, float]]:
        """Runs one training iteration.

        Returns:
            Losses by name, and seconds by part.
        """
        self.timer.reset()
        with self.timer.part('losses and labels'):
            losses = self.losses()
            total = torch.stack(list(losses.values())).sum()
        with self.timer.part('backward'):
            total.backward()
        with self.timer.part('optimiser step'):
            self.optimizer.step()
            self.optimizer.zero_grad()
        seconds = self.timer.seconds
        return (
            {name: float(loss.detach()) for name, loss in losses.items()},
            {part: seconds[part] for part in _PARTS if part in seconds},
        )
