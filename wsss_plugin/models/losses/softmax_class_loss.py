"""Softmax cross entropy of class features as a loss module."""

from __future__ import annotations

from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.class_features import softmax_class_loss


@MODELS.register_module()
class SoftmaxClassLoss(nn.Module):
    """Tells the features of the present classes of an image from all classes (ReCAM).

    See :func:`wsss_plugin.ops.softmax_class_loss`.

    Args:
        loss_weight: Factor of the loss; published are 1.0 for VOC and 0.1 for COCO.
        loss_name: Name of the loss in the log.
    """

    def __init__(self, loss_weight: float = 1.0, loss_name: str = 'loss_recam') -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    def forward(self, logits: Tensor, tags: Tensor) -> Tensor:
        """The weighted loss.

        Args:
            logits: Logits of shape (B, K, K); row k belongs to the feature of class k.
            tags: Multi-hot tags of shape (B, K).

        Returns:
            A scalar; zero if there are no tags.
        """
        return self.loss_weight * softmax_class_loss(logits, tags)
