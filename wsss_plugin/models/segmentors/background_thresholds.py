"""The two background thresholds of a CAM."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class BackgroundThresholds:
    """Scores up to ``low`` are background, above ``high`` foreground, between them uncertain.

    Mutable, because the dual-branch paper lowers ``high`` during training (equation 8).

    Args:
        low: The paper's th(l), in [0, 1].
        high: The paper's th(0), in [0, 1].

    Raises:
        ValueError: If ``0 <= low < high <= 1`` does not hold.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(
                f'expected 0 <= low < high <= 1 for model.thresholds, received low={self.low} and '
                f'high={self.high}; the paper uses low=0.25 and high=0.7'
            )
