"""Local crops from regions that are not certain foreground."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


def choose_crops(region: Tensor, keys: Tensor, num_crops: int, crop_size: int) -> Tensor:
    """Chooses crops whose centre is background or uncertain.

    The centres are those candidates with the largest keys; where an image has fewer candidates
    than crops, every position is one (ToCo). Random keys give a random choice without
    replacement, repeatable for each image whatever batch it is in.

    Args:
        region: Region map (B, H, W): 0 background, 1 uncertain, 2 foreground.
        keys: Random numbers of shape (B, H, W).
        num_crops: Crops per image; positions repeat where the image is too small for so many.
        crop_size: Side of a crop in pixels.

    Returns:
        Top left corners (row, column) of shape (B, num_crops, 2), int64, by decreasing key.

    Raises:
        ValueError: If the crop is larger than the image, or the shapes differ.

    >>> region, keys = torch.zeros(1, 6, 6), torch.arange(36.0).view(1, 6, 6)
    >>> choose_crops(region, keys, num_crops=2, crop_size=4).tolist()
    [[[1, 1], [1, 0]]]
    """
    if region.shape != keys.shape or region.dim() != 3:
        raise ValueError(
            'expected a region map and keys of the same shape (B, H, W), received '
            f'{tuple(region.shape)} and {tuple(keys.shape)}'
        )
    if num_crops < 1:
        raise ValueError(f'expected at least one local crop, received {num_crops}')
    rows, columns = _positions(region.shape[1], crop_size), _positions(region.shape[2], crop_size)
    margin = crop_size // 2
    central = (slice(None), slice(margin, margin + rows), slice(margin, margin + columns))
    candidate = (region[central] <= 1).flatten(1)
    too_few = candidate.sum(dim=1, keepdim=True) < num_crops
    keys = keys[central].flatten(1).masked_fill(~(candidate | too_few), -torch.inf)
    available = min(num_crops, rows * columns)
    index = keys.topk(available, dim=1).indices
    index = index[:, torch.arange(num_crops, device=index.device) % available]
    row = torch.div(index, columns, rounding_mode='floor')
    return torch.stack((row, index % columns), dim=2)


def extract_crops(image: Tensor, top_left: Tensor, crop_size: int) -> Tensor:
    """Cuts square crops out of images.

    Args:
        image: Images of shape (B, C, H, W).
        top_left: Corners (row, column) of shape (B, N, 2).
        crop_size: Side of a crop in pixels.

    Returns:
        Crops of shape (B, N, C, crop_size, crop_size).

    Raises:
        ValueError: If the crop is larger than the image.
    """
    for side in image.shape[-2:]:
        _positions(side, crop_size)
    # Two views, so only the crops themselves are copied.
    windows = image.unfold(2, crop_size, 1).unfold(3, crop_size, 1)
    index = torch.arange(image.shape[0], device=image.device).unsqueeze(1)
    return windows[index, :, top_left[..., 0], top_left[..., 1]]


def crop_is_positive(
    region: Tensor, top_left: Tensor, crop_size: int, threshold: float = 0.2
) -> Tensor:
    """Whether a crop shows an object: the mean of its region map exceeds a threshold (ToCo).

    Args:
        region: Region map (B, H, W): 0 background, 1 uncertain, 2 foreground.
        top_left: Corners (row, column) of shape (B, N, 2).
        crop_size: Side of a crop in pixels.
        threshold: Crops with a mean up to it are negative, in [0, 2].

    Returns:
        Flags of shape (B, N), bool.

    >>> region = torch.tensor([[[0, 0, 2, 2]] * 2])
    >>> crop_is_positive(region, torch.tensor([[[0, 0], [0, 1]]]), crop_size=2).tolist()
    [[False, True]]
    """
    # Sums of integers by an integral image are exact.
    integral = F.pad(region.long().cumsum(dim=1).cumsum(dim=2), (1, 0, 1, 0))
    row, column = top_left.unbind(dim=2)
    index = torch.arange(region.shape[0], device=region.device).unsqueeze(1)
    end_row, end_column = row + crop_size, column + crop_size
    total = (
        integral[index, end_row, end_column]
        - integral[index, row, end_column]
        - integral[index, end_row, column]
        + integral[index, row, column]
    )
    return at_least_float32(total) / crop_size**2 > threshold


def _positions(side: int, crop_size: int) -> int:
    """Number of crop centres along a side that keep half a crop from both borders."""
    if not 1 <= crop_size <= side:
        raise ValueError(
            f'expected local crops of 1 to {side} pixels, received crop size {crop_size}; make '
            'the crops smaller or the image larger'
        )
    return max(1, side - 2 * (crop_size // 2))
