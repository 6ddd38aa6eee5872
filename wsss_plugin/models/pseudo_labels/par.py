"""Pixel adaptive refinement as a module."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.par import DILATIONS, pixel_affinity, propagate
from wsss_plugin.ops.precision import at_least_float32


@MODELS.register_module()
class PAR(nn.Module):
    """Refines masks along similar colours (AFA's pixel adaptive refinement); has no parameters.

    ``M(i) <- sum_j A_ij M(j)``, ``num_iter`` times, with the affinity of
    :func:`wsss_plugin.ops.pixel_affinity`. The affinity is computed once per image, so stack all
    masks of an image as channels.

    Args:
        num_iter: Number of repetitions.
        dilations: Distances of the neighbours in pixels.
        w1: Width of the colour and position kernels in standard deviations.
        w2: Weight of the position kernel.
        eps: Added to standard deviations; 1e-8 in AFA and ToCo, 1e-5 in ClusterCAM.

    Raises:
        ValueError: If a dilation or ``w1`` is not positive, or ``num_iter`` is negative.

    >>> import torch
    >>> PAR(num_iter=2)(torch.rand(1, 3, 8, 8), torch.rand(1, 2, 4, 4)).shape
    torch.Size([1, 2, 8, 8])
    """

    def __init__(
        self,
        num_iter: int = 10,
        dilations: Sequence[int] = DILATIONS,
        w1: float = 0.3,
        w2: float = 0.01,
        eps: float = 1e-8,
    ) -> None:
        super().__init__()
        if num_iter < 0 or not dilations or min(dilations) < 1 or w1 <= 0:
            raise ValueError(
                'expected num_iter >= 0, positive dilations and w1 > 0 for PAR, received '
                f'num_iter={num_iter}, dilations={tuple(dilations)} and w1={w1}'
            )
        self.num_iter = num_iter
        self.dilations = tuple(dilations)
        self.w1 = w1
        self.w2 = w2
        self.eps = eps

    def forward(self, images: Tensor, masks: Tensor) -> Tensor:
        """Refined masks.

        Args:
            images: Images of shape (B, 3, H, W) in [0, 1].
            masks: Masks of shape (B, K, h, w), resized to the images.

        Returns:
            Masks of shape (B, K, H, W), float32 or wider.

        Raises:
            ValueError: If images and masks are not batches of the same length.
        """
        if images.dim() != 4 or masks.dim() != 4 or len(images) != len(masks):
            raise ValueError(
                'expected images (B, 3, H, W) and masks (B, K, h, w), received '
                f'{tuple(images.shape)} and {tuple(masks.shape)}'
            )
        masks, size = at_least_float32(masks), images.shape[-2:]
        if masks.shape[-2:] != size:
            masks = F.interpolate(masks, size=size, mode='bilinear', align_corners=True)
        # One affinity at a time: it is the largest array, and a processor gains nothing by a batch.
        at_once = 1 if images.device.type == 'cpu' else max(1, len(images))
        parts = zip(images.split(at_once), masks.split(at_once), strict=True)
        return torch.cat([self._refine(*part) for part in parts])

    def _refine(self, images: Tensor, masks: Tensor) -> Tensor:
        affinity = pixel_affinity(images, self.dilations, self.w1, self.w2, self.eps)
        return propagate(masks, affinity, self.dilations, self.num_iter)

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f'num_iter={self.num_iter}, dilations={self.dilations}, w1={self.w1}, w2={self.w2}'
