"""The two background thresholds of a CAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wsss_plugin.ops.thresholds import image_threshold


@dataclass
class BackgroundThresholds:
    """Scores up to ``low`` are background, above ``high`` foreground, between them uncertain.

    Mutable, because the dual-branch paper lowers ``high`` during training (equation 8).

    Args:
        low: The paper's th(l), in [0, 1].
        high: The paper's th(0), in [0, 1]; or one for each foreground class, of which an image
            takes the largest over its tags.
        key: Key of the config, for the error.

    Raises:
        ValueError: If ``0 <= low < high <= 1`` does not hold.

    >>> thresholds = BackgroundThresholds(low=0.25, high=(0.5, 0.7))
    >>> thresholds.high_of(torch.tensor([[1.0, 0.0], [1.0, 1.0]])).tolist()
    [0.5, 0.699999988079071]
    """

    low: float
    high: float | Sequence[float]
    key: str = 'thresholds'

    def __post_init__(self) -> None:
        highs = self.high if isinstance(self.high, Sequence) else (self.high,)
        if not highs or not all(0 <= self.low < high <= 1 for high in highs):
            raise ValueError(
                f'expected 0 <= low < high <= 1 for model.{self.key}, received low={self.low} and '
                f'high={self.high}; the paper uses low=0.25 and high=0.7'
            )

    def high_of(self, tags: Tensor) -> float | Tensor:
        """The high threshold of each image.

        Args:
            tags: Multi-hot tags (B, K).

        Returns:
            A number, or one per image (B,) where there is one for each class; that of an image
            without tags is the largest.

        Raises:
            ValueError: If there is not one threshold for each class.
        """
        if not isinstance(self.high, Sequence):
            return self.high
        if len(self.high) != tags.shape[1]:
            raise ValueError(
                f'expected one high threshold for each of the {tags.shape[1]} classes in '
                f'model.{self.key}, received {len(self.high)}; give as many, or a single number'
            )
        return image_threshold(torch.tensor(tuple(self.high)), tags)
