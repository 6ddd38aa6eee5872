"""Boundaries and displacements taught by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.affinity_term import label_on_grid
from wsss_plugin.models.terms.loss_term import LossTerm
from wsss_plugin.ops.path_affinity import path_affinity

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class IRNTerm(LossTerm):
    """Teaches an ``IRNHead`` the affinities and displacements of near pairs (IRN).

    ``L = L_affinity + L_displacement``, each with halves as published.

    Args:
        labels: Name of the label maker; only certain labels should be left, see
            :func:`wsss_plugin.evaluation.label_crf.irn_label`.
        head: Name of the ``IRNHead`` in the segmentor's ``heads``.
        loss: Config of the loss of affinities; default ``AffinityLoss``.
        displacement_loss: Config of the loss of displacements; default ``DisplacementLoss``.
        **kwargs: As for ``LossTerm``.
    """

    def __init__(
        self,
        labels: str,
        head: str = 'irn',
        loss: dict | None = None,
        displacement_loss: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(loss or dict(type='AffinityLoss'), **kwargs)
        self.displacement_loss = self._built(displacement_loss or dict(type='DisplacementLoss'))
        self.labels = labels
        self.head = head

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        return Needs(heads=(self.head,), labels=(self.labels,))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The losses of affinities and displacements.

        Args:
            batch: The batch.

        Returns:
            ``loss_affinity`` and ``loss_displacement``.
        """
        head = batch.main.head(self.head)
        edge, displacement = head(list(batch.main.features(head.reads).values()))
        label = label_on_grid(batch.label(self.labels), tuple(edge.shape[-2:]))
        pairs = label, head.radius, head.border
        affinity = path_affinity(edge.sigmoid(), head.radius, head.border)
        return {
            self.loss.loss_name: self.loss(affinity, *pairs),
            self.displacement_loss.loss_name: self.displacement_loss(displacement, *pairs),
        }
