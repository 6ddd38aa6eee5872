"""Classification loss on tags."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.errors import ConfigError, received
from wsss_plugin.ops.precision import at_least_float32

TAG_FREQUENCY = 'tag_frequency'


@MODELS.register_module()
class MultiLabelSoftMarginLoss(nn.Module):
    """Binary cross entropy with logits, averaged over classes and images.

    ``-1/K sum_k w_k (y_k log s(z_k) + (1 - y_k) log(1 - s(z_k)))`` with the logistic function s
    (dual-branch paper, equation 9, where every w_k is 1; equation 10 is the sum over its heads).

    Args:
        loss_weight: Factor of the loss.
        loss_name: Name of the loss in the log.
        class_weight: Weights w_k of the K foreground classes, above 0; ``'tag_frequency'`` for
            those that ``TagFrequencyHook`` makes of the training's tags; None for 1.

    Raises:
        ConfigError: If ``class_weight`` is something else.

    Examples:
        >>> rare = MultiLabelSoftMarginLoss(class_weight=(0.5, 1.5))
        >>> logits, tags = torch.zeros(1, 2), torch.ones(1, 2)
        >>> bool(rare(logits, tags) == MultiLabelSoftMarginLoss()(logits, tags))
        True
    """

    class_weight: Tensor | None

    def __init__(
        self,
        loss_weight: float = 1.0,
        loss_name: str = 'loss_cls',
        class_weight: Sequence[float] | str | None = None,
    ) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        # Not saved: checkpoints with and without weights have the same keys.
        self.register_buffer('class_weight', None, persistent=False)
        self.by_frequency = class_weight == TAG_FREQUENCY
        if class_weight is not None and not self.by_frequency:
            self.set_class_weight(class_weight)

    def set_class_weight(self, weights: Sequence[float] | str | Tensor) -> None:
        """Takes other weights.

        Args:
            weights: One above 0 for each foreground class.

        Raises:
            ConfigError: If they are not.
        """
        values = weights.tolist() if isinstance(weights, Tensor) else weights
        numbers = not isinstance(values, str) and all(
            isinstance(value, int | float) and 0 < value < math.inf for value in values
        )
        if not numbers or not len(values):
            raise ConfigError(
                'class_weight of MultiLabelSoftMarginLoss: expected a number above 0 for each '
                f"foreground class, '{TAG_FREQUENCY}' or None, received {received(values)}"
            )
        device = None if self.class_weight is None else self.class_weight.device
        self.class_weight = torch.tensor(values, dtype=torch.float32, device=device)

    def forward(self, logits: Tensor, tags: Tensor) -> Tensor:
        """The weighted loss.

        Args:
            logits: Classification logits of shape (B, K).
            tags: Multi-hot tags of shape (B, K).

        Returns:
            A scalar.

        Raises:
            ValueError: If the shapes differ.
            ConfigError: If the weights are those of other classes, or are not known yet.
        """
        if logits.shape != tags.shape:
            raise ValueError(
                'expected logits and tags of the same shape (B, K), received '
                f'{tuple(logits.shape)} and {tuple(tags.shape)}; make num_classes of the CAM head '
                'the number of foreground classes'
            )
        logits = at_least_float32(logits)
        weight = self._weight(logits)
        return self.loss_weight * F.multilabel_soft_margin_loss(logits, tags.to(logits), weight)

    def _weight(self, logits: Tensor) -> Tensor | None:
        weight = self.class_weight
        if weight is None:
            if self.by_frequency:
                raise ConfigError(
                    f"class_weight='{TAG_FREQUENCY}' of MultiLabelSoftMarginLoss: expected the "
                    "weights of the training's tags, received none; add "
                    "dict(type='TagFrequencyHook') to custom_hooks"
                )
            return None
        if len(weight) != logits.shape[1]:
            raise ConfigError(
                f'class_weight of MultiLabelSoftMarginLoss: expected {logits.shape[1]} weights, '
                f'one for each foreground class, received {len(weight)}'
            )
        return weight.to(logits)
