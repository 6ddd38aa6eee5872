"""Displacement loss as a loss module."""

from __future__ import annotations

from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops.affinity import affinity_pair_labels
from wsss_plugin.ops.path_affinity import displacement_loss


@MODELS.register_module()
class DisplacementLoss(nn.Module):
    """Teaches displacements that lead the pixels of an object to one point (IRN).

    See :func:`wsss_plugin.ops.displacement_loss`.

    Args:
        loss_weight: Factor of the loss.
        ignore_index: Label of ignored positions.
        loss_name: Name of the loss in the log.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        ignore_index: int = 255,
        loss_name: str = 'loss_displacement',
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.ignore_index = ignore_index
        self.loss_name = loss_name

    def forward(self, displacement: Tensor, label: Tensor, radius: int, border: str) -> Tensor:
        """The weighted loss.

        Args:
            displacement: Displacements in cells, (B, 2, h, w).
            label: Label map of shape (B, h, w) on the same grid.
            radius: Radius of the pairs in cells.
            border: Which pairs count at the border.

        Returns:
            A scalar; zero if everything is ignored.
        """
        background, foreground, _ = affinity_pair_labels(label, radius, border, self.ignore_index)
        return self.loss_weight * displacement_loss(
            displacement, background, foreground, radius, border, mean_count=process_mean
        )
