"""What can change a label that was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from torch import Tensor

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@runtime_checkable
class LabelFilter(Protocol):
    """Sees a batch and its label, and returns a label, for example with noise ignored.

    It may have ``needs(iteration, max_iters)`` as a label maker has.
    """

    def __call__(self, batch: Batch, label: Tensor) -> Tensor:
        """The label that takes its place.

        Args:
            batch: The batch.
            label: The label as it was made.

        Returns:
            A label of the same shape.
        """
