"""Dense conditional random field as a loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.energy import dense_energy
from wsss_plugin.ops.labels import mask_outside_box
from wsss_plugin.ops.precision import at_least_float32


@MODELS.register_module()
class DenseEnergyLoss(nn.Module):
    """Rewards a segmentation whose classes change where colours do; needs no true label.

    ``factor E``, the energy of a dense conditional random field, see
    :func:`wsss_plugin.ops.dense_energy`. Its values are negative. ToCo's code has it with a weight
    of 0.05; ToCo's paper and the dual-branch paper do not mention it.

    Args:
        sigma_rgb: Standard deviation of the colours in grey levels, of which there are 255.
        sigma_xy: Standard deviation of the places in pixels of the images.
        scale: Scale of images and probabilities at which the energy is computed.
        factor: What makes the sum over pairs of pixels a small number; 1e-7 in ToCo's code.
        loss_weight: Factor of the loss.
        loss_name: Name of the loss in the log.

    Raises:
        ValueError: If a standard deviation or the scale is not positive.

    >>> loss = DenseEnergyLoss()
    >>> bool(loss(torch.randn(1, 3, 4, 4), torch.rand(1, 3, 16, 16)) < 0)
    True
    """

    def __init__(
        self,
        sigma_rgb: float = 15.0,
        sigma_xy: float = 100.0,
        scale: float = 0.5,
        factor: float = 1e-7,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_energy',
    ) -> None:
        super().__init__()
        if min(sigma_rgb, sigma_xy, scale) <= 0:
            raise ValueError(
                'expected positive sigma_rgb, sigma_xy and scale for DenseEnergyLoss, received '
                f'sigma_rgb={sigma_rgb}, sigma_xy={sigma_xy} and scale={scale}'
            )
        self.sigma_rgb = sigma_rgb
        self.sigma_xy = sigma_xy
        self.scale = scale
        self.factor = factor
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(
        self,
        logits: Tensor,
        images: Tensor,
        label: Tensor | None = None,
        box: Tensor | None = None,
        ignore_index: int = 255,
    ) -> Tensor:
        """The weighted loss.

        Args:
            logits: Logits of shape (B, K + 1, h, w), resized to the images.
            images: Images of shape (B, 3, H, W) in [0, 1], not normalised.
            label: Label map of shape (B, H, W), of which only the ignored pixels matter: there the
                energy counts in full, elsewhere the less the surer a pixel is. None for no
                ignored pixel.
            box: Valid image area (row0, row1, col0, col1), end-exclusive, (B, 4); the energy is
                zero outside. None for all.
            ignore_index: Label of ignored pixels.

        Returns:
            A scalar, float32, or float64 if the logits are.

        Raises:
            ValueError: If the shapes do not belong together.
        """
        logits = at_least_float32(logits)
        if logits.dim() == images.dim() == 4 and logits.shape[-2:] != images.shape[-2:]:
            logits = F.interpolate(
                logits, size=images.shape[-2:], mode='bilinear', align_corners=False
            )
        region = None
        if box is not None:
            everywhere = torch.ones_like(images[:, 0], dtype=torch.bool)
            region = mask_outside_box(everywhere, box, ignore_index=0)
        energy = dense_energy(
            logits.softmax(dim=1),
            images,
            region=region,
            ignored=None if label is None else label == ignore_index,
            sigma_rgb=self.sigma_rgb,
            sigma_xy=self.sigma_xy,
            scale=self.scale,
        )
        return self.loss_weight * self.factor * energy

    def extra_repr(self) -> str:
        """The arguments, for printing."""
        return f'sigma_rgb={self.sigma_rgb}, sigma_xy={self.sigma_xy}, scale={self.scale}'
