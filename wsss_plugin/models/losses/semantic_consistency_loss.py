"""Consistency between the CAMs of two branches."""

from __future__ import annotations

import torch.nn.functional as F
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.ops.precision import at_least_float32

_NORMS = ('l1', 'l2')
_DETACHED = ('none', 'first', 'second')


@MODELS.register_module()
class SemanticConsistencyLoss(nn.Module):
    """Mean difference of two CAMs, one term of the dual-branch paper's equation (1).

    ``lambda mean |M - M'|`` for L1 or ``lambda mean (M - M')^2`` for L2 (its Table 2).

    Args:
        norm: 'l1' or 'l2'.
        loss_weight: Factor lambda of the loss; the paper uses 0.1.
        detach: Which CAM gets no gradient: 'none', 'first' or 'second'.
        present_only: Compare only the maps of classes that are among the tags.
        loss_name: Name of the loss in the log.

    Raises:
        ValueError: If ``norm`` or ``detach`` is unknown.
    """

    def __init__(
        self,
        norm: str = 'l1',
        loss_weight: float = 1.0,
        detach: str = 'none',
        present_only: bool = False,
        loss_name: str = 'loss_consistency',
    ) -> None:
        super().__init__()
        if norm not in _NORMS:
            raise ValueError(f'expected norm in {_NORMS}, received {norm!r}')
        if detach not in _DETACHED:
            raise ValueError(f'expected detach in {_DETACHED}, received {detach!r}')
        self.norm = norm
        self.loss_weight = loss_weight
        self.detach = detach
        self.present_only = present_only
        self.loss_name = loss_name

    def forward(self, cam: Tensor, other: Tensor, tags: Tensor | None = None) -> Tensor:
        """The weighted loss.

        Args:
            cam: CAMs of one branch, (B, K, h, w).
            other: CAMs of the other branch, (B, K, h', w'); resized to the first.
            tags: Multi-hot tags of shape (B, K), needed with ``present_only``.

        Returns:
            A scalar; zero if no class is present.

        Raises:
            ValueError: If images or classes differ, or tags are needed and missing.
        """
        if cam.dim() != 4 or other.dim() != 4 or cam.shape[:2] != other.shape[:2]:
            raise ValueError(
                'expected two CAMs (B, K, h, w) of the same images and classes, received '
                f'{tuple(cam.shape)} and {tuple(other.shape)}'
            )
        difference = self._difference(at_least_float32(cam), at_least_float32(other))
        if not self.present_only:
            return self.loss_weight * difference.mean()
        if tags is None or tags.shape != cam.shape[:2]:
            raise ValueError(
                f'expected tags of shape {tuple(cam.shape[:2])} with present_only=True, received '
                f'{None if tags is None else tuple(tags.shape)}'
            )
        present = (tags > 0).to(difference)
        total = (difference.mean(dim=(2, 3)) * present).sum()
        count = process_mean(present.sum())
        return self.loss_weight * total / count.where(count > 0, 1)

    def _difference(self, cam: Tensor, other: Tensor) -> Tensor:
        cam = cam.detach() if self.detach == 'first' else cam
        other = other.detach() if self.detach == 'second' else other
        size = cam.shape[-2:]
        if other.shape[-2:] != size:
            other = F.interpolate(other, size=size, mode='bilinear', align_corners=False)
        difference = cam - other
        return difference.abs() if self.norm == 'l1' else difference.square()
