"""Class token contrast as a loss module."""

from __future__ import annotations

from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.ops.contrast import class_token_contrast


@MODELS.register_module()
class ClassTokenContrastLoss(nn.Module):
    """Pulls class tokens of crops with objects to the global views (equation 12).

    See :func:`wsss_plugin.ops.class_token_contrast`.

    Args:
        temperature: The paper's tau.
        loss_weight: Factor of the loss; the paper uses 0.5.
        loss_name: Name of the loss in the log.
        eps: The epsilon of (12), positive.

    Raises:
        ValueError: If ``temperature`` or ``eps`` is not positive.
    """

    def __init__(
        self,
        temperature: float = 0.5,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_ctc',
        eps: float = 1e-4,
    ) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f'expected a positive temperature, received {temperature}')
        if eps <= 0:
            raise ValueError(f'expected a positive eps, received {eps}')
        self.temperature = temperature
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self.eps = eps

    def forward(self, student: Tensor, teacher: Tensor, positive: Tensor) -> Tensor:
        """The weighted loss.

        Args:
            student: Projected class tokens of all crops, (B, S, D).
            teacher: Projected class tokens of the global views, (B, V, D).
            positive: Which crops show an object, (B, S), bool or 0 and 1.

        Returns:
            A scalar.
        """
        loss = class_token_contrast(student, teacher, positive, self.temperature, self.eps)
        return self.loss_weight * loss
