"""Two students that label each other's pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.label_logits import label_logits
from wsss_plugin.models.terms.loss_term import LossTerm
from wsss_plugin.models.terms.student_batches import StudentBatches


@MODELS.register_module()
class CrossSegmentationTerm(LossTerm):
    """Teaches each student's decode head the label of the other student's CAM (DuPL).

    A term of ``DualStudentSegmentor``. The losses of the two students are added.

    Args:
        labels: Name of the label maker, which both students have.
        loss: Config of any loss for ``loss_decode`` of a decode head; default
            ``BalancedCrossEntropyLoss``.
        weight: Factor of the term; DuPL has 0.2.
        trains: As for ``LossTerm``.
        **kwargs: As for ``LossTerm``.
    """

    def __init__(
        self,
        labels: str,
        loss: dict | None = None,
        weight: float = 0.2,
        trains: Sequence[str] = ('students.first.decode_head', 'students.second.decode_head'),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            loss or dict(type='BalancedCrossEntropyLoss'), weight=weight, trains=trains, **kwargs
        )
        self.labels = labels

    def needs(self) -> Needs:
        """What it reads of each student.

        Returns:
            Names.
        """
        return Needs(labels=(self.labels,), decoder=True)

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """The loss of each student's decode head.

        Args:
            batch: The students' batches.

        Returns:
            The loss of each student under its own name and the student's, and the share of pixels
            that are not ignored, ``supervised_fraction``.
        """
        batches: StudentBatches = batch
        losses, supervised = {}, []
        for name, own, other in batches.pairs():
            head, label = own.decode_head, other.label(self.labels)
            logits, options = label_logits(
                self.loss, own.main.decode_logits, label.shape[-2:], head.align_corners
            )
            key = f'{self.loss.loss_name}_{name}'
            losses[key] = self.loss(logits, label, ignore_index=head.ignore_index, **options)
            supervised.append((label != head.ignore_index).float().mean())
        return {**losses, 'supervised_fraction': (supervised[0] + supervised[1]) / 2}
