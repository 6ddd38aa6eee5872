"""Affinity loss as a loss module."""

from __future__ import annotations

from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops.affinity import affinity_loss, affinity_pair_labels


@MODELS.register_module()
class AffinityLoss(nn.Module):
    """Cross entropy of pair affinities against a label map.

    ``L_bg / 4 + L_fg / 4 + L_neg / 2`` (AffinityNet, equation 10), see
    :func:`wsss_plugin.ops.affinity_loss`; also IRN's affinity loss.

    Args:
        loss_weight: Factor of the loss.
        ignore_index: Label of ignored positions.
        loss_name: Name of the loss in the log.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        ignore_index: int = 255,
        loss_name: str = 'loss_affinity',
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.ignore_index = ignore_index
        self.loss_name = loss_name

    def forward(self, affinity: Tensor, label: Tensor, radius: int, border: str) -> Tensor:
        """The weighted loss.

        Args:
            affinity: Affinity of shape (B, P, S).
            label: Label map of shape (B, h, w) on the grid of the affinity.
            radius: Radius for which the affinity was computed.
            border: Border for which the affinity was computed.

        Returns:
            A scalar; zero if everything is ignored.
        """
        kinds = affinity_pair_labels(label, radius, border, self.ignore_index)
        return self.loss_weight * affinity_loss(affinity, *kinds, mean_count=process_mean)
