"""Patch token contrast as a loss module."""

from __future__ import annotations

from mmengine.dist import get_world_size
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops.contrast import patch_token_contrast


@MODELS.register_module()
class PatchTokenContrastLoss(nn.Module):
    """Pulls patch tokens of the same label together and pushes others apart.

    ``(1 - mean_same |cos|) / 2 + mean_different |cos| / 2`` (dual-branch paper, equation 11, in
    ToCo's form), see :func:`wsss_plugin.ops.patch_token_contrast`.

    Args:
        loss_weight: Factor of the loss; the paper uses 0.2.
        ignore_index: Label of ignored positions.
        loss_name: Name of the loss in the log.
    """

    def __init__(
        self, loss_weight: float = 1.0, ignore_index: int = 255, loss_name: str = 'loss_ptc'
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.ignore_index = ignore_index
        self.loss_name = loss_name

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """The weighted loss.

        Args:
            features: Patch tokens as a map, (B, C, h, w).
            labels: Label map of shape (B, h, w).

        Returns:
            A scalar; half the weight if everything is ignored.
        """
        return self.loss_weight * patch_token_contrast(
            features,
            labels,
            self.ignore_index,
            mean_count=process_mean,
            smoothing=1 / get_world_size(),
        )
