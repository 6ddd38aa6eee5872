"""Straightforward formulations of the same equations, to compare values and speed with.

They follow the equations word by word: every neighbour is copied, every image is a turn of a loop,
nothing is shared. Slow, and easy to check by reading.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

DILATIONS = (1, 2, 4, 8, 12, 24)


def neighbours(image: Tensor, dilations: Sequence[int] = DILATIONS) -> Tensor:
    """All neighbours of all pixels, copied: (B, C, H, W) to (B, C, 8 * len(dilations), H, W)."""
    batch, channels, height, width = image.shape
    around = []
    for dilation in dilations:
        padded = F.pad(image, (dilation,) * 4, mode='replicate')
        windows = F.unfold(padded, kernel_size=3, dilation=dilation)
        windows = windows.view(batch, channels, 9, height, width)
        around.append(torch.cat((windows[:, :, :4], windows[:, :, 5:]), dim=2))
    return torch.cat(around, dim=2)


def par_affinity(
    image: Tensor,
    dilations: Sequence[int] = DILATIONS,
    w1: float = 0.3,
    w2: float = 0.01,
    eps: float = 1e-8,
) -> Tensor:
    """The affinity of pixel adaptive refinement, (B, 8 * len(dilations), H, W)."""
    around = neighbours(image, dilations)
    std = around.std(dim=2, keepdim=True)
    colour = -(((around - image.unsqueeze(2)).abs() / (std + eps) / w1) ** 2)
    distance = torch.tensor(
        [d * f for d in dilations for f in (2**0.5, 1, 2**0.5, 1, 1, 2**0.5, 1, 2**0.5)],
        dtype=image.dtype,
    )
    position = -((distance / (distance.std() + eps) / w1) ** 2)
    position = position.softmax(dim=0).view(1, -1, 1, 1).to(image)
    return colour.mean(dim=1).softmax(dim=1) + w2 * position


def par(
    image: Tensor, masks: Tensor, num_iter: int = 10, dilations: Sequence[int] = DILATIONS
) -> Tensor:
    """Pixel adaptive refinement of masks of the size of the image."""
    affinity = par_affinity(image, dilations).unsqueeze(1)
    for _ in range(num_iter):
        masks = (neighbours(masks, dilations) * affinity).sum(dim=2)
    return masks


def refined_pseudo_label(
    image: Tensor,
    cam: Tensor,
    tags: Tensor,
    low: float,
    high: float | Tensor,
    box: Tensor,
    refine: Callable[[Tensor, Tensor], Tensor] = par,
    ignore_index: int = 255,
) -> Tensor:
    """The refined label, one image and one background at a time, refined anew for each."""
    labels = []
    for index in range(len(image)):
        image_high = high[index].item() if isinstance(high, Tensor) else high
        small = _resize(image[index : index + 1], [side // 2 for side in image.shape[-2:]])
        present = tags[index].nonzero().flatten()
        by_high, by_low = (
            _label_under(background, cam[index, present], present, small, refine)
            for background in (image_high, low)
        )
        combined = by_high.clone()
        combined[by_high == 0] = ignore_index
        combined[(by_high == 0) & (by_low == 0)] = 0
        row0, row1, col0, col1 = box[index].tolist()
        label = torch.full_like(combined, ignore_index)
        label[row0:row1, col0:col1] = combined[row0:row1, col0:col1]
        labels.append(label)
    return torch.stack(labels)


def _label_under(
    background: float,
    scores: Tensor,
    present: Tensor,
    small_image: Tensor,
    refine: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    channels = torch.cat((torch.full_like(scores[:1], background), scores)).unsqueeze(0)
    small = _resize(channels, small_image.shape[-2:]).softmax(dim=1)
    winner = _resize(refine(small_image, small), scores.shape[-2:]).argmax(dim=1)[0]
    return F.pad(present + 1, (1, 0))[winner]


def _resize(image: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(image, size=tuple(size), mode='bilinear', align_corners=False)


def local_crops(
    image: Tensor,
    region: Tensor,
    keys: Tensor,
    num_crops: int,
    crop_size: int,
    threshold: float = 0.2,
) -> tuple[Tensor, Tensor, Tensor]:
    """Corners, crops and flags, one image and one crop at a time."""
    corners, crops, flags = [], [], []
    margin = crop_size // 2
    for picture, regions, key in zip(image, region, keys, strict=True):
        rows, columns = (side - 2 * margin for side in regions.shape)
        positions = [(r, c) for r in range(rows) for c in range(columns)]
        centres = regions[margin : margin + rows, margin : margin + columns].tolist()
        order = key[margin : margin + rows, margin : margin + columns].tolist()
        candidates = [(r, c) for r, c in positions if centres[r][c] <= 1]
        if len(candidates) < num_crops:
            candidates = positions
        candidates.sort(key=lambda place: -order[place[0]][place[1]])
        for row, column in candidates[:num_crops]:
            window = (slice(row, row + crop_size), slice(column, column + crop_size))
            corners.append((row, column))
            crops.append(picture[:, window[0], window[1]])
            flags.append(bool(regions[window].float().mean() > threshold))
    batch = len(image)
    return (
        torch.tensor(corners).view(batch, num_crops, 2),
        torch.stack(crops).unflatten(0, (batch, num_crops)),
        torch.tensor(flags).view(batch, num_crops),
    )


def class_token_contrast(
    student: Tensor, teacher: Tensor, positive: Tensor, temperature: float, eps: float = 1e-4
) -> Tensor:
    """Equation (12) with ToCo's second term, with plain exponentials and loops."""
    losses = []
    for queries, views, flags in zip(student, teacher, positive, strict=True):
        total = queries.new_zeros(())
        for view in views:
            e = (queries @ view / temperature).exp()
            negative = e[flags == 0].sum() + eps
            total = total - (e[flags == 1] / (e[flags == 1] + negative)).log().sum()
            total = total - (1 / (1 + negative)).log()
        losses.append(total / len(views) / (flags.sum() + eps))
    return torch.stack(losses).mean()
