"""Classification of the features that a CAM pools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class ReCAMTerm(LossTerm):
    """Teaches a second classifier to tell the classes of an image apart (ReCAM).

    Its gradient reaches the second classifier, the first one through its CAM, and the backbone. The
    CAM should exist first: train without this term before, or give it a ``start``.

    Args:
        cams: Name of the CAM source with the second classifier, a ``ReweightedCAMHead``.
        loss: Config of the loss, called with logits (B, K, K) and tags; default
            ``SoftmaxClassLoss``.
        **kwargs: As for ``LossTerm``; the published weights are 1.0 for VOC and 0.1 for COCO.
    """

    def __init__(self, cams: str = 'final', loss: dict | None = None, **kwargs: Any) -> None:
        super().__init__(loss or dict(type='SoftmaxClassLoss'), **kwargs)
        self.cams = cams

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        return Needs(logits=(self.cams,))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The loss of the second classifier.

        Args:
            batch: The batch.

        Returns:
            ``loss_recam``.

        Raises:
            TypeError: If the CAM source has no second classifier.
        """
        source = batch.main.source(self.cams)
        if not hasattr(source, 'class_logits'):
            raise TypeError(
                f'expected a ReweightedCAMHead as model.cams.{self.cams}, which ReCAMTerm teaches, '
                f'received {type(source).__name__}; set its type or the key cams of the term'
            )
        base = batch.main.raw(source.base)
        logits = source.class_logits(batch.main.features(source.reads), base)
        return {self.loss.loss_name: self.loss(logits, batch.tags)}
