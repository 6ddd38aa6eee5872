"""Label maps of CAMs that have walked along affinities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.pseudo_labels.walked_labels import WalkedLabels
from wsss_plugin.ops.confident_labels import alpha_scores
from wsss_plugin.ops.random_walk import random_walk

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class RandomWalkLabels(WalkedLabels):
    """The class, or background, of the highest score after a random walk (AffinityNet).

    Scores of background and tagged classes, :func:`wsss_plugin.ops.alpha_scores`, are averaged over
    the cells of the affinities, walk by :func:`wsss_plugin.ops.random_walk`, and are resized to the
    image. Nothing is ignored, and background thresholds are not used.

    Args:
        *args: As for ``CAMLabelMaker``.
        head: Name of the trained ``AffinityHead`` in the segmentor's ``heads``.
        alpha: Exponent of the background's score.
        beta: Power of the affinities.
        steps: Number of steps.
        **kwargs: As for ``CAMLabelMaker``.

    Raises:
        ValueError: If a setting is out of range.
    """

    def __init__(
        self,
        *args: Any,
        head: str = 'affinity',
        alpha: float = 16,
        beta: float = 8,
        steps: int = 256,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, head=head, beta=beta, steps=steps, **kwargs)
        if alpha < 1 or beta <= 0 or steps < 0:
            raise ValueError(
                'expected alpha >= 1, beta > 0 and steps >= 0 of RandomWalkLabels, received '
                f'alpha={alpha}, beta={beta} and steps={steps}; published are 16, 8 and 256'
            )
        self.alpha = alpha

    def scores(self, batch: Batch, cam: Tensor) -> Tensor:
        """What has walked; its highest channel is the label, as it is or after a dense CRF.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].

        Returns:
            Scores (B, K + 1, H, W) in [0, 1], channel 0 the background.
        """
        head = batch.main.head(self.head)
        maps = list(batch.main.features(head.reads).values())
        height, width = maps[0].shape[-2:]
        scores = alpha_scores(cam, batch.tags, self.alpha)
        cells = F.adaptive_avg_pool2d(scores, (height, width))
        affinity = head.affinity(maps)
        walked = random_walk(cells, affinity, head.radius, head.border, self.beta, self.steps)
        return F.interpolate(walked, size=cam.shape[-2:], mode='bilinear', align_corners=False)
