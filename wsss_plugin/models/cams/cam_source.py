"""What can give CAMs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from wsss_plugin.models.cams.classifier_context import ClassifierContext


@runtime_checkable
class CAMSource(Protocol):
    """Gives one raw score map for each class; owns the weights that this needs, knows no loss.

    Attributes:
        reads: Names of the features that it reads.
        base: Name of another source, whose raw CAM it builds on, or None.
        classifies: Whether it has classification logits.
        reads_decoder: Whether it reads the decode head's logits.
        num_classes: Number of foreground classes K.
        multi_scale: What differs from the segmentor's ``multi_scale``.

    A source may further have ``reduce`` (:class:`FeatureBackbone` says what for), ``logit_reads``,
    the features for its logits where those are fewer, and ``finished = True``, if its map is the
    CAM itself, stored for example, that no pass over several scales makes.
    """

    reads: tuple[str, ...]
    base: str | None
    classifies: bool
    reads_decoder: bool
    num_classes: int
    multi_scale: dict[str, Any]

    def raw(
        self, features: Mapping[str, Tensor], tags: Tensor | None, context: ClassifierContext
    ) -> Tensor:
        """Raw CAMs.

        Args:
            features: What it reads, by name.
            tags: Multi-hot tags (B, K), None where they are unknown.
            context: The pass that it is part of.

        Returns:
            Maps of shape (B, K, h, w).
        """

    def logits(self, features: Mapping[str, Tensor]) -> Tensor | None:
        """Classification logits (B, K), None for a source that does not classify images.

        Args:
            features: What it reads, by name.
        """
