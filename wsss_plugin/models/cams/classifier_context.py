"""What a CAM source may ask for beside its features."""

from __future__ import annotations

from typing import Any, Protocol

from mmseg.structures import SegDataSample
from torch import Tensor


class ClassifierContext(Protocol):
    """The pass of a batch of images in which a CAM source takes part.

    Attributes:
        data_samples: The samples of the images, none where these are mirrored or resized.
    """

    data_samples: list[SegDataSample]

    @property
    def backbone(self) -> Any:
        """The segmentor's backbone, for a source that runs a part of it once more."""

    @property
    def image(self) -> Tensor:
        """The normalised images (B, 3, H, W)."""

    @property
    def decode_logits(self) -> Tensor:
        """Logits of the decode head, (B, K + 1, h, w)."""

    def raw(self, name: str) -> Tensor:
        """Raw CAMs of another source, (B, K, h, w).

        Args:
            name: Its name.
        """

    def source(self, name: str) -> Any:
        """Another source, for example for its classifier's weight.

        Args:
            name: Its name.
        """

    def head(self, name: str) -> Any:
        """A module of the segmentor's ``heads``.

        Args:
            name: Its name.
        """
