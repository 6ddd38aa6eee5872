"""The batches of two students."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


class StudentBatches(NamedTuple):
    """One batch of images as each student sees it.

    Attributes:
        first: That of the first student.
        second: That of the second student.
    """

    first: Batch
    second: Batch

    @property
    def image(self) -> Tensor:
        """The main view, which both students see, (B, 3, H, W)."""
        return self.first.image

    def pairs(self) -> Iterator[tuple[str, Batch, Batch]]:
        """Each student's name with its own batch and that of the other."""
        yield 'first', self.first, self.second
        yield 'second', self.second, self.first
