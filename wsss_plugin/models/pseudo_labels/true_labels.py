"""True masks, for full supervision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class TrueLabels(BaseModule):
    """The masks that the data set loads, for the row "full supervision" of a table.

    Needs ``load_masks=True`` of the data set and ``LoadAnnotations`` in the pipeline, both of which
    a training from tags goes without.
    """

    per_pixel = False  # the truth is not scored against itself

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:  # noqa: ARG002
        """What it reads of the network: nothing.

        Args:
            iteration: Unused.
            max_iters: Unused.

        Returns:
            No names.
        """
        return Needs()

    def starts(self, max_iters: int | None) -> tuple[int, ...]:  # noqa: ARG002
        """Iterations at which it begins to read something else.

        Args:
            max_iters: Unused.

        Returns:
            Only 0.
        """
        return (0,)

    def make(self, batch: Batch) -> Tensor:
        """The masks.

        Args:
            batch: The batch, whose samples have ``gt_sem_seg``.

        Returns:
            Label map (B, H, W), int64.

        Raises:
            KeyError: If a sample has no mask.
        """
        for sample in batch.data_samples:
            if 'gt_sem_seg' not in sample:
                raise KeyError(
                    f'expected a mask for {sample.get("img_path")}, received none; set '
                    'load_masks=True of the data set and put LoadAnnotations into its pipeline'
                )
        return torch.cat([sample.gt_sem_seg.data for sample in batch.data_samples]).long()
