"""What label makers of CAMs that walk have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.pseudo_labels.cam_label_maker import CAMLabelMaker

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


class WalkedLabels(CAMLabelMaker):
    """The highest of the scores that have walked over the cells of a trained head.

    Nothing is ignored, and background thresholds are not used. Classes walk without knowing of
    each other, so those that no image of the batch has are left out.

    Args:
        *args: As for ``CAMLabelMaker``.
        head: Name of the trained head in the segmentor's ``heads``.
        beta: Power of the affinities.
        steps: Number of steps.
        **kwargs: As for ``CAMLabelMaker``.
    """

    per_pixel = True
    of_present_classes = True

    def __init__(self, *args: Any, head: str, beta: float, steps: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.head = head
        self.beta = beta
        self.steps = steps

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:
        """What it reads.

        Args:
            iteration: 0-based iteration, None outside a training.
            max_iters: Length of the training, where it is known.

        Returns:
            Names.
        """
        return super().needs(iteration, max_iters) | Needs(heads=(self.head,))

    def label(self, batch: Batch, cam: Tensor, low: float, high: float | Tensor) -> Tensor:  # noqa: ARG002
        """The label that a CAM makes.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].
            low: Unused.
            high: Unused.

        Returns:
            Label map (B, H, W), int64.
        """
        return self.scores(batch, cam).argmax(dim=1)

    def scores(self, batch: Batch, cam: Tensor) -> Tensor:
        """What has walked; its highest channel is the label, as it is or after a dense CRF.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].

        Returns:
            Scores (B, K + 1, H, W) in [0, 1], channel 0 the background.
        """
        raise NotImplementedError
