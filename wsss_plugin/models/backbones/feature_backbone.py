"""What a backbone offers to the parts of a segmentor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

# Called with what was accumulated so far (None at first), the index of a block and its value.
Reduction = Callable[[Tensor | None, int, Tensor], Tensor]


@runtime_checkable
class FeatureBackbone(Protocol):
    """A backbone that computes features by name, and only those that are asked for."""

    def check_feature(self, name: str) -> None:
        """Raises a ValueError with the known names where there is no such feature.

        Args:
            name: The name.
        """

    def forward_features(
        self,
        image: Tensor,
        names: Sequence[str],
        reduce: Mapping[str, Reduction] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Tensor]:
        """Features of a batch of images.

        Args:
            image: Normalised images (B, 3, H, W).
            names: Which features.
            reduce: For features that every block has, such as attention: what keeps of each block
                what is needed, so that no stack of maps of all blocks is held.
            context: What other parts have computed.

        Returns:
            Features by name.
        """
