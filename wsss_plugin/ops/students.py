"""What two students that teach each other are told besides labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.labels import mask_outside_box
from wsss_plugin.ops.precision import at_least_float32

DISCREPANCY_AXES = ('position', 'channel')


def discrepancy(first: Tensor, second: Tensor, axis: str = 'position') -> Tensor:
    """Similarity of two students' features, which the loss keeps low (DuPL).

    ``L = (1 + cos(stop F_1, F_2)) + (1 + cos(stop F_2, F_1))``, so that each student is pushed
    away from the other as it stands. The paper takes the cosine of two feature vectors; the
    published code that of two maps of one channel, and so do the published numbers.

    Args:
        first: Features of one student, (B, C, h, w).
        second: Features of the other, of the same shape.
        axis: Along what the cosine runs: 'position' gives one for each channel, averaged over
            channels; 'channel' one for each position, averaged over positions.

    Returns:
        The loss in [0, 4], a scalar.

    Raises:
        ValueError: If the shapes differ or ``axis`` is unknown.

    >>> features = torch.rand(1, 3, 2, 2)
    >>> [round(discrepancy(features, sign * features).item(), 4) for sign in (1, -1)]
    [4.0, 0.0]
    """
    if axis not in DISCREPANCY_AXES:
        raise ValueError(f'expected axis in {DISCREPANCY_AXES}, received {axis!r}')
    if first.dim() != 4 or first.shape != second.shape:
        raise ValueError(
            'expected features (B, C, h, w) of two students on the same grid, received '
            f'{tuple(first.shape)} and {tuple(second.shape)}; the students need equal shapes here'
        )
    dim = 2 if axis == 'position' else 1
    with torch.autocast(first.device.type, enabled=False):
        one, other = (at_least_float32(part).flatten(2) for part in (first, second))
        pairs = ((one.detach(), other), (other.detach(), one))
        cosines = [F.cosine_similarity(*pair, dim=dim, eps=1e-6).mean() for pair in pairs]
        return (1 + cosines[0]) + (1 + cosines[1])


def ignored_consistency(
    strong: Tensor,
    clean: Tensor,
    label: Tensor,
    box: Tensor | None = None,
    flipped: bool = True,
    confidence: float = 0.9,
    ignore_index: int = 255,
    mean_count: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Cross entropy with the student's own confident prediction, where no label is (DuPL).

    The prediction for the strongly changed view is compared with the class that the student gives
    the clean view, at those pixels which the label leaves out and where the probability of that
    class exceeds ``confidence``. The mean is over the pixels of the batch.

    Args:
        strong: Logits of the strong view, (B, K + 1, h, w); brought back to the labels' size.
        clean: Logits of the clean view, (B, K + 1, h', w'); no gradient reaches them.
        label: Label map of shape (B, H, W) of the other student's CAM.
        box: Valid image area (row0, row1, col0, col1), end-exclusive, (B, 4); the published code
            lets the padding take part, as None does.
        flipped: Whether the strong view is a mirror image.
        confidence: Probability that the clean prediction must exceed.
        ignore_index: Label of ignored pixels.
        mean_count: Averages a count over processes, if there are several.

    Returns:
        The loss, a scalar; zero where no pixel takes part.

    Raises:
        ValueError: If the images or classes differ.

    >>> clean = torch.tensor([[[[9.0, 9.0]], [[0.0, 0.0]]]])
    >>> label = torch.tensor([[[255, 1]]])  # the second pixel has a label
    >>> strong = torch.tensor([[[[5.0, 0.0]], [[0.0, 0.0]]]])
    >>> round(ignored_consistency(strong, clean, label).item(), 4)  # both pixels change places
    0.6931
    """
    if strong.dim() != 4 or strong.shape[:2] != clean.shape[:2] or len(label) != len(clean):
        raise ValueError(
            'expected logits (B, K + 1, h, w) of two views and labels (B, H, W) of the same '
            f'images, received {tuple(strong.shape)}, {tuple(clean.shape)} and '
            f'{tuple(label.shape)}'
        )
    size = label.shape[-2:]
    target, chosen = _confident(_resize(clean.detach(), size), label, confidence, ignore_index)
    if box is not None:
        # Outside the box nothing is chosen.
        chosen = mask_outside_box(chosen.to(torch.uint8), box, 0).bool()
    strong = _resize(strong.flip(-1) if flipped else strong, size)
    pixels = F.cross_entropy(strong, target, reduction='none').masked_fill(~chosen, 0)
    count = chosen.sum().to(pixels.dtype)
    if mean_count is not None:
        count = mean_count(count)
    return pixels.sum() / count.where(count > 0, 1)


def _confident(
    logits: Tensor, label: Tensor, confidence: float, ignore_index: int
) -> tuple[Tensor, Tensor]:
    probability, target = logits.softmax(dim=1).max(dim=1)
    return target, (label == ignore_index) & (probability > confidence)


def _resize(logits: Tensor, size: torch.Size) -> Tensor:
    logits = at_least_float32(logits)
    if logits.shape[-2:] == size:
        return logits
    return F.interpolate(logits, size=tuple(size), mode='bilinear', align_corners=False)
