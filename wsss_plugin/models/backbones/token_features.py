"""What a vision transformer gives to the heads."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class TokenFeatures(NamedTuple):
    """Features of one forward pass of a vision transformer.

    Attributes:
        class_token: Class token after the final norm, shape (B, C).
        patch_tokens: Patch tokens after the final norm, as a map of shape (B, C, h, w).
        inner: Un-normalised patch tokens of the requested inner blocks, each (B, C, h, w).
    """

    class_token: Tensor
    patch_tokens: Tensor
    inner: tuple[Tensor, ...]

    @property
    def maps(self) -> tuple[Tensor, ...]:
        """The maps of the inner blocks, then the final map, as MMSegmentation's heads take them."""
        return (*self.inner, self.patch_tokens)
