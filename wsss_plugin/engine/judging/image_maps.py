"""The label maps of one image that are compared without a mask."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ImageMaps:
    """Label maps (H, W) of an image at its original size.

    Attributes:
        free: The segmentation among all classes; None where the segmentor needs tags.
        restricted: The segmentation among the tags.
        mirrored: The segmentation of the mirrored image, mirrored back; among all classes where
            ``free`` is.
        labels: Labels of another source, 255 where undecided; None without one.
    """

    free: Tensor | None
    restricted: Tensor
    mirrored: Tensor
    labels: Tensor | None

    @property
    def plain(self) -> Tensor:
        """What ``mirrored`` is compared with."""
        return self.restricted if self.free is None else self.free
