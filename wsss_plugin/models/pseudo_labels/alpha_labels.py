"""Labels for affinities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.pseudo_labels.cam_label_maker import CAMLabelMaker
from wsss_plugin.ops.confident_labels import alpha_scores, confident_label
from wsss_plugin.ops.labels import mask_outside_box

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class AlphaLabels(CAMLabelMaker):
    """A label for each cell of a feature map, by two powers of the background's score.

    Scores of background and tagged classes, :func:`wsss_plugin.ops.alpha_scores`, with both alphas
    are refined if a refinement is named, averaged over each cell, and sorted by
    :func:`wsss_plugin.ops.confident_label` (AffinityNet, Section 3.2). Background thresholds are
    not used.

    Args:
        *args: As for ``CAMLabelMaker``.
        low_alpha: Exponent that makes much background.
        high_alpha: Exponent that makes little background; 32 in the published code, 24 in the
            paper.
        reads: Name of the feature whose grid it is.
        refine: Config of a refinement, called with images in [0, 1] and masks; such as ``PAR``. The
            published code has a dense CRF here, once for stored scores.
        **kwargs: As for ``CAMLabelMaker``.

    Raises:
        ValueError: If an alpha is below 1 or the low one exceeds the high one.
    """

    def __init__(
        self,
        *args: Any,
        low_alpha: float = 4,
        high_alpha: float = 32,
        reads: str = 'patch',
        refine: dict | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not 1 <= low_alpha <= high_alpha:
            raise ValueError(
                'expected 1 <= low_alpha <= high_alpha of AlphaLabels, received '
                f'low_alpha={low_alpha} and high_alpha={high_alpha}; published are 4 and 32'
            )
        self.alphas = float(low_alpha), float(high_alpha)
        self.reads = reads
        self.refine = None if refine is None else MODELS.build(refine)

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:
        """What it reads.

        Args:
            iteration: 0-based iteration, None outside a training.
            max_iters: Length of the training, where it is known.

        Returns:
            Names.
        """
        return super().needs(iteration, max_iters) | Needs(features=(self.reads,))

    def label(self, batch: Batch, cam: Tensor, low: float, high: float | Tensor) -> Tensor:  # noqa: ARG002
        """The label that a CAM makes.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].
            low: Unused; alphas are in place of thresholds.
            high: Unused.

        Returns:
            Label map (B, h, w), int64.
        """
        scores = torch.cat([alpha_scores(cam, batch.tags, alpha) for alpha in self.alphas], dim=1)
        if self.refine is not None:
            scores = self.refine(batch.pictures, scores)
        outside = mask_outside_box(torch.zeros_like(scores[:, 0]), batch.box, 1) > 0
        scores = scores.masked_fill(outside.unsqueeze(1), 0)
        height, width = batch.main.features([self.reads])[self.reads].shape[-2:]
        by_low, by_high = F.adaptive_avg_pool2d(scores, (height, width)).chunk(2, dim=1)
        return confident_label(by_low, by_high, self.ignore_index)
