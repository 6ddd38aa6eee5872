"""Regions of background, doubt and foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.present_classes import PresentClasses
from wsss_plugin.models.pseudo_labels.cam_label_maker import CAMLabelMaker
from wsss_plugin.ops.labels import region_of_interest

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class RegionMask(CAMLabelMaker):
    """Sorts pixels into background, uncertain and foreground, from which crops are chosen.

    See :func:`wsss_plugin.ops.region_of_interest`. Arguments are those of ``CAMLabelMaker``.
    """

    of_present_classes = True

    def label(self, batch: Batch, cam: Tensor, low: float, high: float | Tensor) -> Tensor:
        """The regions that a CAM makes.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].
            low: Low background threshold.
            high: High background threshold, a number or one per image (B,).

        Returns:
            Map (B, H, W), uint8: 0 background, 1 uncertain, 2 foreground.
        """
        return region_of_interest(cam, batch.tags, low, high)

    def whole_label(self, seen: PresentClasses, label: Tensor) -> Tensor:  # noqa: ARG002
        """The regions as they are: they have no numbers of classes.

        Args:
            seen: Unused.
            label: The regions.

        Returns:
            The regions.
        """
        return label
