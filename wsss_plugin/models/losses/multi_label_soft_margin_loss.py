"""Classification loss on tags."""

from __future__ import annotations

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.precision import at_least_float32


@MODELS.register_module()
class MultiLabelSoftMarginLoss(nn.Module):
    """Binary cross entropy with logits, averaged over classes and images.

    ``-1/K sum_k (y_k log s(z_k) + (1 - y_k) log(1 - s(z_k)))`` with the logistic function s
    (dual-branch paper, equation 9; equation 10 is the sum over its heads).

    Args:
        loss_weight: Factor of the loss.
        loss_name: Name of the loss in the log.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = 'loss_cls') -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, tags: Tensor) -> Tensor:
        """The weighted loss.

        Args:
            logits: Classification logits of shape (B, K).
            tags: Multi-hot tags of shape (B, K).

        Returns:
            A scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        if logits.shape != tags.shape:
            raise ValueError(
                'expected logits and tags of the same shape (B, K), received '
                f'{tuple(logits.shape)} and {tuple(tags.shape)}; make num_classes of the CAM head '
                'the number of foreground classes'
            )
        logits = at_least_float32(logits)
        return self.loss_weight * F.multilabel_soft_margin_loss(logits, tags.to(logits))
