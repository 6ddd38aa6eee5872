"""A term of a segmentor's total loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from wsss_plugin.models.segmentors.training_batch import TrainingBatch


class LossTerm(NamedTuple):
    """A term of the total loss, and what it needs.

    Attributes:
        losses: Computes the weighted losses of a training batch by name.
        cams: Names of the multi-scale CAMs that it reads from the batch.
        head: Name of the segmentor's module that only this term trains, None if there is none.
    """

    losses: Callable[[TrainingBatch], dict[str, Tensor]]
    cams: tuple[str, ...] = ()
    head: str | None = None
