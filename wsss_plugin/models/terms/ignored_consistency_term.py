"""A use for the pixels that no label covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm
from wsss_plugin.models.terms.student_batches import StudentBatches
from wsss_plugin.ops.geometry import from_view
from wsss_plugin.ops.students import ignored_consistency

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class IgnoredConsistencyTerm(LossTerm):
    """Keeps a student's prediction under a strong change of the image, where no label is (DuPL).

    A term of ``DualStudentSegmentor``. The pixels are those that the label of the other student's
    CAM ignores; :func:`wsss_plugin.ops.ignored_consistency` has the rule. The losses of the two
    students are added.

    Args:
        labels: Name of the label maker, which both students have.
        view: Name of the strong view, whose geometry the samples carry.
        confidence: Probability that the prediction for the main view must exceed.
        with_padding: Whether the padding around an image takes part, as in the published code.
        weight: Factor of the term; DuPL has 0.05.
        start: As for ``LossTerm``; DuPL begins at 0.4 of the training.
        **kwargs: As for ``LossTerm``.

    Raises:
        ValueError: If ``confidence`` is not between 0 and 1.
    """

    def __init__(
        self,
        labels: str,
        view: str = 'strong',
        confidence: float = 0.9,
        with_padding: bool = False,
        weight: float = 0.05,
        start: float = 0.4,
        **kwargs: Any,
    ) -> None:
        super().__init__(weight=weight, start=start, **kwargs)
        if not 0 <= confidence < 1:
            raise ValueError(
                'expected confidence of IgnoredConsistencyTerm from 0 to below 1, received '
                f'{confidence}; DuPL has 0.9'
            )
        self.labels = labels
        self.view = view
        self.confidence = confidence
        self.with_padding = with_padding

    def needs(self) -> Needs:
        """What it reads of each student.

        Returns:
            Names.
        """
        return Needs(labels=(self.labels,), views=(self.view,), decoder=True)

    def losses(self, batch: Any) -> dict[str, Tensor]:
        """The loss of each student.

        Args:
            batch: The students' batches.

        Returns:
            ``loss_ignored_first`` and ``loss_ignored_second``.
        """
        batches: StudentBatches = batch
        return {
            f'loss_ignored_{name}': self._loss(own, other.label(self.labels))
            for name, own, other in batches.pairs()
        }

    def _loss(self, own: Batch, label: Tensor) -> Tensor:
        size, geometry = label.shape[-2:], own.geometry(self.view)
        ignore = own.decode_head.ignore_index
        seen = from_view(torch.zeros_like(label), geometry, size, fill=1) == 0
        return ignored_consistency(
            from_view(own.view(self.view).decode_logits, geometry, size),
            own.main.decode_logits,
            # What the strong view does not show can have no prediction to compare.
            label.where(seen | (label != ignore), 0),
            box=None if self.with_padding else own.box,
            flipped=False,
            confidence=self.confidence,
            ignore_index=ignore,
            mean_count=process_mean,
        )
