"""Labels of patch tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.pseudo_labels.cam_label_maker import CAMLabelMaker
from wsss_plugin.ops.labels import cam_to_label, scale_box

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class TokenLabels(CAMLabelMaker):
    """A label for each cell of a feature map, without refinement (ToCo's label of patch tokens).

    Args:
        *args: As for ``CAMLabelMaker``.
        reads: Name of the feature whose grid it is.
        **kwargs: As for ``CAMLabelMaker``.
    """

    of_present_classes = True

    def __init__(self, *args: Any, reads: str = 'patch', **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reads = reads

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:
        """What it reads.

        Args:
            iteration: 0-based iteration, None outside a training.
            max_iters: Length of the training, where it is known.

        Returns:
            Names.
        """
        return super().needs(iteration, max_iters) | Needs(features=(self.reads,))

    def label(self, batch: Batch, cam: Tensor, low: float, high: float | Tensor) -> Tensor:
        """The label that a CAM makes.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].
            low: Low background threshold.
            high: High background threshold, a number or one per image (B,).

        Returns:
            Label map (B, h, w), int64.
        """
        grid = tuple(batch.main.features([self.reads])[self.reads].shape[-2:])
        cam = F.interpolate(cam, size=grid, mode='bilinear', align_corners=False)
        box = scale_box(batch.box, tuple(batch.image.shape[-2:]), grid)
        return cam_to_label(cam, batch.tags, low, high, box, self.ignore_index)
