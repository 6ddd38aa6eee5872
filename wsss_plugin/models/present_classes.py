"""A batch in which only the classes exist that some of its images have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor


def present_classes(tags: Tensor) -> Tensor:
    """The classes that some image of a batch has.

    Args:
        tags: Multi-hot tags (B, K).

    Returns:
        Their indices in ascending order, (N,), int64; the first class where no image has one.

    >>> import torch
    >>> present_classes(torch.tensor([[0, 0, 1, 0], [1, 0, 0, 0]])).tolist()
    [0, 2]
    >>> present_classes(torch.zeros(2, 4)).tolist()
    [0]
    """
    present = (tags > 0).any(dim=0)
    # A map of no class could not be compared with the background.
    present[0] |= ~present.any()
    return present.nonzero()[:, 0]


class PresentClasses:
    """Stands for a batch whose tags and CAMs are those of the present classes alone.

    Labels that a maker finds in it number these classes; :meth:`whole_label` gives them the
    numbers of all classes. Everything else is the batch's.

    Args:
        batch: The batch.

    Attributes:
        classes: Indices of the present classes, (N,).
        tags: Their tags, (B, N).
    """

    def __init__(self, batch: Any) -> None:
        self._batch = batch
        self.classes = batch.present_classes
        self.tags = batch.tags[:, self.classes]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def cams(self, names: Sequence[str]) -> list[Tensor]:
        """Normalised CAMs of the present classes.

        Args:
            names: Which sources.

        Returns:
            CAMs (B, N, H, W) in [0, 1], in the order of ``names``.
        """
        return self._batch.cams(names, present=True)

    def whole_label(self, label: Tensor, ignore_index: int) -> Tensor:
        """A label map with the numbers of all classes.

        Args:
            label: Label map (B, H, W), int64, of the present classes: 0, 1 to N, ``ignore_index``.
            ignore_index: Label of ignored positions.

        Returns:
            Label map of the same shape.
        """
        ignored = label == ignore_index
        values = F.pad(self.classes + 1, (1, 0))
        return values[label.masked_fill(ignored, 0)].masked_fill(ignored, ignore_index)
