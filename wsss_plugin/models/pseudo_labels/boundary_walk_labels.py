"""Label maps of CAMs that have walked up to class boundaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.pseudo_labels.walked_labels import WalkedLabels
from wsss_plugin.ops.random_walk import boundary_walk

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class BoundaryWalkLabels(WalkedLabels):
    """The class of the highest score after a walk up to boundaries, or background (IRN).

    The CAMs of the tagged classes are resized to the boundaries' grid, walk by
    :func:`wsss_plugin.ops.boundary_walk`, are resized to the image and divided by their maximum
    over all classes and pixels of the image. Boundaries are those of the image and its mirror
    image. Nothing is ignored, and the segmentor's thresholds are not used.

    Args:
        *args: As for ``CAMLabelMaker``.
        head: Name of the trained ``IRNHead`` in the segmentor's ``heads``.
        threshold: Scores up to it are background; 0.28 for VOC and 0.25 for COCO with ReCAM.
        radius: Radius of the walk in cells, half that of the training as published.
        beta: Power of the affinities.
        steps: Number of steps.
        power: Power of the CAMs before the walk; 1.5 with AMR.
        **kwargs: As for ``CAMLabelMaker``.

    Raises:
        ValueError: If a setting is out of range.
    """

    def __init__(
        self,
        *args: Any,
        head: str = 'irn',
        threshold: float = 0.28,
        radius: int = 5,
        beta: float = 10,
        steps: int = 256,
        power: float = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, head=head, beta=beta, steps=steps, **kwargs)
        if not 0 <= threshold <= 1 or radius < 2 or beta <= 0 or steps < 0 or power <= 0:
            raise ValueError(
                'expected threshold in [0, 1], radius >= 2, beta > 0, steps >= 0 and power > 0 of '
                f'BoundaryWalkLabels, received threshold={threshold}, radius={radius}, '
                f'beta={beta}, steps={steps} and power={power}'
            )
        self.threshold = threshold
        self.radius = radius
        self.power = power

    def scores(self, batch: Batch, cam: Tensor) -> Tensor:
        """What has walked; its highest channel is the label, as it is or after a dense CRF.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].

        Returns:
            Scores (B, K + 1, H, W) in [0, 1], channel 0 the threshold of the background.
        """
        edge, tags = self._edge(batch), batch.tags[:, :, None, None]
        tagged = F.interpolate(cam, size=edge.shape[-2:], mode='bilinear') * (tags > 0)
        walked = boundary_walk(tagged**self.power, edge, self.radius, self.beta, self.steps)
        scores = F.interpolate(walked, size=cam.shape[-2:], mode='bilinear')
        maximum = scores.amax(dim=(1, 2, 3), keepdim=True)
        scores = scores / maximum.where(maximum > 0, 1)
        background = torch.full_like(scores[:, :1], self.threshold)
        return torch.cat((background, scores), dim=1)

    def _edge(self, batch: Batch) -> Tensor:
        head = batch.main.head(self.head)
        both = batch.run(torch.cat((batch.image, batch.image.flip(-1))), head.reads)
        logits, _ = head(list(both.features(head.reads).values()))
        return head.merged_edge(logits)
