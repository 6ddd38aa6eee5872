"""Contrast of patch tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class PatchTokenContrastTerm(LossTerm):
    """Pulls patch tokens together that a label says are of one class (equation 11).

    Args:
        labels: Name of the label maker, such as ``TokenLabels``.
        loss: Config of the loss; default ``PatchTokenContrastLoss``.
        reads: Name of the feature.
        **kwargs: As for ``LossTerm``.
    """

    def __init__(
        self, labels: str, loss: dict | None = None, reads: str = 'patch', **kwargs: Any
    ) -> None:
        super().__init__(loss or dict(type='PatchTokenContrastLoss'), **kwargs)
        self.labels = labels
        self.reads = reads

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        return Needs(features=(self.reads,), labels=(self.labels,))

    def try_on(self, features: Mapping[str, Tensor]) -> None:
        """Checks that what it reads is a map of tokens.

        Args:
            features: Features of one small image, by name.

        Raises:
            ValueError: If it is none.
        """
        if features[self.reads].dim() != 4:
            raise ValueError('no map (B, C, h, w) of patch tokens')

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The contrast.

        Args:
            batch: The batch.

        Returns:
            ``loss_ptc``.
        """
        tokens = batch.main.features([self.reads])[self.reads]
        return {self.loss.loss_name: self.loss(tokens, batch.label(self.labels))}
