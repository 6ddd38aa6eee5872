"""Segmentation that follows the colours of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class EnergyTerm(LossTerm):
    """Rewards a decode head whose classes change where the colours of the main view do.

    ToCo's code has it with a weight of 0.05, from the start of the segmentation on.

    Args:
        labels: Name of the label maker, such as ``PixelLabels``, whose ignored pixels count in
            full; None where every pixel counts the less, the surer it is.
        loss: Config of the loss, called with logits (B, K + 1, H, W), images (B, 3, H, W) in
            [0, 1], label (B, H, W), box (B, 4) and ``ignore_index``; default ``DenseEnergyLoss``.
        **kwargs: As for ``LossTerm``.
    """

    def __init__(self, labels: str | None = None, loss: dict | None = None, **kwargs: Any) -> None:
        super().__init__(loss or dict(type='DenseEnergyLoss'), **kwargs)
        self.labels = labels

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        return Needs(labels=() if self.labels is None else (self.labels,), decoder=True)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The energy.

        Args:
            batch: The batch.

        Returns:
            ``loss_energy``, at most 0.
        """
        head, images = batch.decode_head, batch.pictures
        logits = resize(
            batch.main.decode_logits,
            size=images.shape[-2:],
            mode='bilinear',
            align_corners=head.align_corners,
        )
        label = None if self.labels is None else batch.label(self.labels)
        energy = self.loss(logits, images, label, batch.box, ignore_index=head.ignore_index)
        return {self.loss.loss_name: energy}
