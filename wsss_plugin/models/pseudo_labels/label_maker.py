"""What can make labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from torch import Tensor

from wsss_plugin.models.needs import Needs

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@runtime_checkable
class LabelMaker(Protocol):
    """Gives one kind of label for a batch; knows no loss.

    Attributes:
        per_pixel: Whether its label is a pseudo label at the size of the image, which can be
            scored and drawn.
    """

    per_pixel: bool

    def make(self, batch: Batch) -> Tensor:
        """The label.

        Args:
            batch: The batch.

        Returns:
            A tensor without gradient.
        """

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:
        """What it reads.

        Args:
            iteration: 0-based iteration, None outside a training.
            max_iters: Length of the training, where it is known.

        Returns:
            Names.
        """

    def starts(self, max_iters: int | None) -> tuple[int, ...]:
        """Iterations at which it begins to read something else.

        Args:
            max_iters: Length of the training, where it is known.

        Returns:
            Iterations, the first 0.
        """
