"""Affinities taught by labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class AffinityTerm(LossTerm):
    """Teaches a head whether near positions belong together (AffinityNet, equation 10).

    A label map at another size than the head's grid gives each cell the label at its centre.

    Args:
        labels: Name of the label maker; only certain labels should be left, see
            :func:`wsss_plugin.ops.confident_label`.
        head: Name of the ``AffinityHead`` in the segmentor's ``heads``.
        loss: Config of the loss; default ``AffinityLoss``.
        **kwargs: As for ``LossTerm``.
    """

    def __init__(
        self, labels: str, head: str = 'affinity', loss: dict | None = None, **kwargs: Any
    ) -> None:
        super().__init__(loss or dict(type='AffinityLoss'), **kwargs)
        self.labels = labels
        self.head = head

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        return Needs(heads=(self.head,), labels=(self.labels,))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The loss of the affinities.

        Args:
            batch: The batch.

        Returns:
            ``loss_affinity``.
        """
        head = batch.main.head(self.head)
        maps = list(batch.main.features(head.reads).values())
        affinity = head.affinity(maps)
        label = label_on_grid(batch.label(self.labels), tuple(maps[0].shape[-2:]))
        return {self.loss.loss_name: self.loss(affinity, label, head.radius, head.border)}


def label_on_grid(label: Tensor, grid: tuple[int, ...]) -> Tensor:
    """The label at the centre of each cell of a grid.

    Args:
        label: Label map (B, H, W).
        grid: Height and width of the grid.

    Returns:
        Label map (B, h, w); the label itself where it is on the grid.

    >>> import torch
    >>> label = torch.tensor([[[0, 0, 1], [0, 2, 1], [255, 1, 1]]])
    >>> label_on_grid(label, (1, 1)).tolist()
    [[[2]]]
    """
    if tuple(label.shape[-2:]) == grid:
        return label
    resized = F.interpolate(label.unsqueeze(1).float(), size=grid, mode='nearest-exact')
    return resized.squeeze(1).long()
