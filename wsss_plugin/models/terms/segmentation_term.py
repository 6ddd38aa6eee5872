"""Segmentation by the decode head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.label_logits import label_accuracy, label_logits
from wsss_plugin.models.terms.loss_term import LossTerm

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class SegmentationTerm(LossTerm):
    """Teaches the decode head a label map.

    The loss of pixel p of image i is ``w_i CE_ip``, with the weight w_i that the label maker gives
    the image, by default 1. What a loss divides by does not change: ``CrossEntropyLoss`` with
    ``avg_non_ignore`` is ``sum_i w_i sum_p CE_ip / sum_i n_i`` over the n_i labelled pixels of each
    image. So the gradient of an image is w_i times what it is without, that of the others stays,
    and an image of weight 0 teaches nothing.

    Args:
        labels: Name of the label maker, such as ``PixelLabels``.
        loss: Config of any loss for ``loss_decode`` of a decode head; default
            ``BalancedCrossEntropyLoss``. Weights of images reach it as mmseg's ``weight`` (B, H, W)
            of the pixels, and only where one differs from 1.
        trains: As for ``LossTerm``.
        **kwargs: As for ``LossTerm``.
    """

    def __init__(
        self,
        labels: str,
        loss: dict | None = None,
        trains: tuple[str, ...] = ('decode_head',),
        **kwargs: Any,
    ) -> None:
        super().__init__(loss or dict(type='BalancedCrossEntropyLoss'), trains=trains, **kwargs)
        self.labels = labels

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        return Needs(labels=(self.labels,), decoder=True)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The loss of the decode head.

        Args:
            batch: The batch.

        Returns:
            The loss under its own name, ``acc_seg`` in percent, and ``supervised_fraction``, the
            share of pixels that are not ignored.
        """
        head, label = batch.decode_head, batch.label(self.labels)
        given, corners = batch.main.decode_logits, head.align_corners
        logits, options = label_logits(self.loss, given, label.shape[-2:], corners)
        ignore, weights = head.ignore_index, batch.label_weights(self.labels)
        if weights is not None:
            options['weight'] = weights[:, None, None].expand_as(label)
        return {
            self.loss.loss_name: self.loss(logits, label, ignore_index=ignore, **options),
            'acc_seg': label_accuracy(logits, label, ignore, corners),
            'supervised_fraction': (label != ignore).float().mean(),
        }
