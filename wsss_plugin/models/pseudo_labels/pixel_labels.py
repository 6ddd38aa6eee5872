"""Label maps of pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.pseudo_labels.cam_label_maker import CAMLabelMaker
from wsss_plugin.ops.labels import cam_to_label, refined_pseudo_label

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class PixelLabels(CAMLabelMaker):
    """A label map of the main view, refined along the image where a refinement is named.

    See :func:`wsss_plugin.ops.refined_pseudo_label`, and without refinement
    :func:`wsss_plugin.ops.cam_to_label`.

    Args:
        *args: As for ``CAMLabelMaker``.
        refine: Config of the refinement, called with images in [0, 1] and masks; such as ``PAR``.
        scale: Scale of image and CAM at which masks are refined.
        **kwargs: As for ``CAMLabelMaker``.
    """

    per_pixel = True
    of_present_classes = True

    def __init__(
        self, *args: Any, refine: dict | None = None, scale: float = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if scale <= 0:
            raise ValueError(f'expected a positive scale of PixelLabels, received {scale}')
        self.refine = None if refine is None else MODELS.build(refine)
        self.scale = scale

    def label(self, batch: Batch, cam: Tensor, low: float, high: float | Tensor) -> Tensor:
        """The label map that a CAM makes.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].
            low: Low background threshold.
            high: High background threshold, a number or one per image (B,).

        Returns:
            Label map (B, H, W), int64.
        """
        if self.refine is None:
            return cam_to_label(cam, batch.tags, low, high, batch.box, self.ignore_index)
        return refined_pseudo_label(
            batch.pictures,
            cam,
            batch.tags,
            low,
            high,
            batch.box,
            refine=self.refine,
            ignore_index=self.ignore_index,
            scale=self.scale,
        )
