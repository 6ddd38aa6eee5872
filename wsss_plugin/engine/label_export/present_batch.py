"""A batch of one image in which only the classes exist that the image has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.segmentors.cam_prediction import restored


class PresentBatch:
    """Stands for a batch of one image whose CAMs are known, without those of absent classes.

    Label makers see as many classes as the image has, so that memory does not grow with the number
    of all classes; everything else is the batch's.

    Args:
        batch: The batch.
        cam: Normalised CAM (1, N, H, W) in [0, 1] of the tagged classes, in their order.

    Attributes:
        values: Values of the classes in a label map, (N,).
        tags: Multi-hot tags (1, N), of which all are 1.
        present_classes: Indices of the classes among these, 0 to N - 1.
    """

    def __init__(self, batch: Any, cam: Tensor) -> None:
        self._batch = batch
        self.cam = cam.to(batch.image.device)
        self.values = batch.tags[0].nonzero()[:, 0].cpu() + 1
        self.tags = torch.ones(1, len(self.values), device=self.cam.device)
        self.present_classes = torch.arange(len(self.values), device=self.cam.device)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def cams(self, names: Sequence[str], present: bool = False) -> list[Tensor]:  # noqa: ARG002
        """The known CAM.

        Args:
            names: Unused.
            present: Unused: all of its classes are.

        Returns:
            A list of it alone.
        """
        return [self.cam]

    @property
    def sample(self) -> SegDataSample:
        """The image's sample."""
        return self._batch.data_samples[0]

    def original(self, maps: Tensor | None = None) -> Tensor:
        """Maps at the original size of the image.

        Args:
            maps: Maps (1, N, h, w) at the size of the input; the CAM if None.

        Returns:
            Maps (N, H, W) on the CPU.
        """
        maps = self.cam if maps is None else maps
        if not maps.shape[1]:
            return torch.zeros(0, *self.sample.ori_shape[:2])
        return restored(maps, self.sample)[0].cpu()

    def label_map(self, local: Tensor, ignore_index: int) -> Tensor:
        """A label map of all classes at the original size.

        Args:
            local: Label map (1, h, w) of the present classes, at the size of the input.
            ignore_index: Value of pixels without label, in ``local`` too.

        Returns:
            Label map (H, W), int64.
        """
        whole = restored(local[None].float(), self.sample, mode='nearest')[0, 0].long().cpu()
        values = F.pad(self.values, (1, 0))
        ignored = whole == ignore_index
        return values[whole.masked_fill(ignored, 0)].masked_fill(ignored, ignore_index)
