"""Keeps the features of two students apart."""

from __future__ import annotations

from typing import Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm
from wsss_plugin.models.terms.student_batches import StudentBatches
from wsss_plugin.ops.students import DISCREPANCY_AXES, discrepancy


@MODELS.register_module()
class DiscrepancyTerm(LossTerm):
    """Pushes two students' features apart (DuPL); a term of ``DualStudentSegmentor``.

    See :func:`wsss_plugin.ops.discrepancy`.

    Args:
        reads: Name of the feature, a map (B, C, h, w).
        axis: 'position' for one cosine of each channel over the positions, as in the published
            code; 'channel' for one of each position over the channels, as in the paper.
        weight: Factor of the term; DuPL has 0.1 on VOC and 0.05 on COCO.
        **kwargs: As for ``LossTerm``.

    Raises:
        ValueError: If ``axis`` is unknown.
    """

    def __init__(
        self, reads: str = 'patch', axis: str = 'position', weight: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(weight=weight, **kwargs)
        if axis not in DISCREPANCY_AXES:
            raise ValueError(
                f'expected axis of DiscrepancyTerm in {DISCREPANCY_AXES}, received {axis!r}'
            )
        self.reads = reads
        self.axis = axis

    def needs(self) -> Needs:
        """What it reads of each student.

        Returns:
            Names.
        """
        return Needs(features=(self.reads,))

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """The similarity of the students.

        Args:
            batch: The students' batches.

        Returns:
            ``loss_discrepancy``.
        """
        batches: StudentBatches = batch
        first, second = (one.main.features([self.reads])[self.reads] for one in batches)
        return {'loss_discrepancy': discrepancy(first, second, self.axis)}
