"""From CAMs to label maps: 0 is background, class k is k + 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32


def cam_to_label(
    cam: Tensor,
    tags: Tensor,
    low: float,
    high: float | Tensor,
    box: Tensor | None = None,
    ignore_index: int = 255,
) -> Tensor:
    """Label map for training: certain foreground, certain background, and the rest ignored.

    With ``v = max_k y_k M_k``: background where ``v <= low``, ignored where ``low < v <= high``
    or outside the box, the class of the maximum elsewhere (ToCo).

    Args:
        cam: Normalised CAMs of shape (B, K, H, W) in [0, 1].
        tags: Multi-hot tags of shape (B, K).
        low: Scores up to it are background.
        high: Scores above it are foreground; a number, or one per image (B,).
        box: Valid image area (row0, row1, col0, col1), end-exclusive, of shape (B, 4).
        ignore_index: Label of ignored pixels.

    Returns:
        Label map of shape (B, H, W), int64.

    Raises:
        ValueError: If ``low`` exceeds ``high`` or the shapes do not belong together.

    >>> cam = torch.tensor([0.1, 0.5, 0.9]).view(1, 1, 1, 3)
    >>> cam_to_label(cam, torch.ones(1, 1), low=0.25, high=0.7).tolist()
    [[[0, 255, 1]]]
    """
    _check_thresholds(low, high)
    score, label = tagged_maximum(cam, tags)
    label = label.masked_fill(score <= _per_image(high, score), ignore_index)
    label = label.masked_fill(score <= low, 0)
    return label if box is None else mask_outside_box(label, box, ignore_index)


def tagged_maximum(cam: Tensor, tags: Tensor) -> tuple[Tensor, Tensor]:
    """Score and label of the best tagged class at each pixel, ``v = max_k y_k M_k``.

    Args:
        cam: Normalised CAMs of shape (B, K, H, W) in [0, 1].
        tags: Multi-hot tags of shape (B, K).

    Returns:
        The score v, (B, H, W), and its label k + 1, (B, H, W), int64.

    Raises:
        ValueError: If the shapes do not belong together.

    >>> cam = torch.tensor([0.9, 0.4]).view(1, 2, 1, 1)
    >>> [part.item() for part in tagged_maximum(cam, torch.tensor([[0.0, 1.0]]))]
    [0.4000000059604645, 2]
    """
    scores, classes, _ = _present_classes(cam, tags)
    score, index = scores.max(dim=1)
    return score, classes.gather(1, index.flatten(1)).view_as(index) + 1


def threshold_label(score: Tensor, label: Tensor, threshold: float) -> Tensor:
    """Label map for evaluation: background up to one threshold, nothing ignored.

    Args:
        score: Scores in [0, 1], for example of :func:`tagged_maximum`.
        label: Label of each score, of the same shape.
        threshold: Scores up to it are background.

    Returns:
        Label map of the same shape and type as ``label``.

    >>> threshold_label(torch.tensor([0.5, 0.6]), torch.tensor([3, 3]), 0.5).tolist()
    [0, 3]
    """
    return label.masked_fill(score <= threshold, 0)


def region_of_interest(cam: Tensor, tags: Tensor, low: float, high: float | Tensor) -> Tensor:
    """Sorts pixels into background, uncertain and foreground.

    Args:
        cam: Normalised CAMs of shape (B, K, H, W) in [0, 1].
        tags: Multi-hot tags of shape (B, K).
        low: Scores up to it are background.
        high: Scores from it on are foreground; a number, or one per image (B,).

    Returns:
        Map of shape (B, H, W), uint8: 0 background, 1 uncertain, 2 foreground.

    Raises:
        ValueError: If ``low`` exceeds ``high`` or the shapes do not belong together.
    """
    _check_thresholds(low, high)
    score, _ = tagged_maximum(cam, tags)
    region = (score > low).to(torch.uint8)
    return region.masked_fill(score >= _per_image(high, score), 2)


def mask_outside_box(label: Tensor, box: Tensor, ignore_index: int = 255) -> Tensor:
    """Ignores the padding around an image.

    Args:
        label: Label map of shape (B, H, W).
        box: Valid image area (row0, row1, col0, col1), end-exclusive, of shape (B, 4).
        ignore_index: Label of ignored pixels.

    Returns:
        Label map of shape (B, H, W).

    Raises:
        ValueError: If there is not one box per image.

    >>> mask_outside_box(torch.zeros(1, 1, 3), torch.tensor([[0, 1, 1, 2]])).tolist()
    [[[255.0, 0.0, 255.0]]]
    """
    if box.shape != (label.shape[0], 4):
        raise ValueError(
            f'expected boxes of shape ({label.shape[0]}, 4), received {tuple(box.shape)}'
        )
    row0, row1, col0, col1 = box.to(label.device).view(-1, 4, 1).unbind(dim=1)
    rows = torch.arange(label.shape[1], device=label.device)
    columns = torch.arange(label.shape[2], device=label.device)
    inside_rows = (rows >= row0) & (rows < row1)
    inside_columns = (columns >= col0) & (columns < col1)
    inside = inside_rows.unsqueeze(2) & inside_columns.unsqueeze(1)
    return label.masked_fill(~inside, ignore_index)


def scale_box(box: Tensor, from_size: Sequence[int], to_size: Sequence[int]) -> Tensor:
    """Boxes in cells of another grid over the same image; a cell counts by its centre.

    Args:
        box: Boxes (row0, row1, col0, col1), end-exclusive, of shape (B, 4).
        from_size: Height and width that the boxes refer to.
        to_size: Height and width of the other grid.

    Returns:
        Boxes of shape (B, 4), int64.

    >>> scale_box(torch.tensor([[0, 448, 30, 448]]), (448, 448), (28, 28)).tolist()
    [[0, 28, 2, 28]]
    """
    old = box.new_tensor((from_size[0], from_size[0], from_size[1], from_size[1]))
    new = box.new_tensor((to_size[0], to_size[0], to_size[1], to_size[1]))
    # Cell i is inside where row0 <= (i + 1/2) old / new < row1; in integers, so that it is exact.
    return -torch.div(old - 2 * box * new, 2 * old, rounding_mode='floor').long()


def refined_pseudo_label(
    image: Tensor,
    cam: Tensor,
    tags: Tensor,
    low: float,
    high: float | Tensor,
    box: Tensor | None,
    refine: Callable[[Tensor, Tensor], Tensor],
    ignore_index: int = 255,
    scale: float = 0.5,
) -> Tensor:
    """Label map of a refined CAM, by two constant background scores (ToCo).

    Beside the CAMs of the present classes, a background channel of constant score ``high`` or
    ``low`` is put; the softmax over the channels is refined. A pixel takes its class under the
    high background; it is background if it is so under both, and ignored otherwise. Both
    backgrounds of all images go through one call of ``refine``, so an affinity is computed once
    per image; images with fewer classes are filled up with channels that cannot win.

    Args:
        image: Images of shape (B, 3, H, W) in [0, 1].
        cam: Normalised CAMs of shape (B, K, H, W) in [0, 1].
        tags: Multi-hot tags of shape (B, K).
        low: Background score under which little is background.
        high: Background score under which much is background; a number, or one per image (B,).
        box: Valid image area (row0, row1, col0, col1), end-exclusive, (B, 4), or None for all.
        refine: Called with images (B, 3, h, w) and masks (B, N, h, w); gives masks (B, N, h, w).
        ignore_index: Label of ignored pixels.
        scale: Scale of image and CAM at which masks are refined.

    Returns:
        Label map of shape (B, H, W), int64.

    Raises:
        ValueError: If ``low`` exceeds ``high``, ``scale`` is not positive or the shapes do not
            belong together.

    >>> image, cam = torch.rand(1, 3, 8, 8), torch.ones(1, 1, 8, 8)
    >>> label = refined_pseudo_label(
    ...     image, cam, torch.ones(1, 1), 0.25, 0.7, None, refine=lambda image, masks: masks)
    >>> label.unique().tolist()
    [1]
    """
    _check_thresholds(low, high)
    if scale <= 0:
        raise ValueError(f'expected a positive scale of the refinement, received {scale}')
    size = image.shape[-2:]
    small = [max(1, int(side * scale)) for side in size]
    scores, classes, present = _present_classes(cam, tags)
    scores = F.interpolate(scores, small, mode='bilinear', align_corners=False)
    masks = [_with_background(scores, present, background) for background in (high, low)]
    small_image = F.interpolate(
        at_least_float32(image), small, mode='bilinear', align_corners=False
    )
    refined = at_least_float32(refine(small_image, torch.cat(masks, dim=1)))
    by_high, by_low = (_winner(part, classes, present, size) for part in refined.chunk(2, dim=1))
    label = torch.where((by_high == 0) & (by_low != 0), ignore_index, by_high)
    return label if box is None else mask_outside_box(label, box, ignore_index)


def _check_thresholds(low: float, high: float | Tensor) -> None:
    # Thresholds per image are on the device, where looking at them would wait for it.
    if not isinstance(high, Tensor) and low > high:
        raise ValueError(
            f'expected the low threshold not to exceed the high one, received low={low} and '
            f'high={high}; exchange them'
        )


def _per_image(value: float | Tensor, like: Tensor) -> float | Tensor:
    if isinstance(value, Tensor) and value.dim():
        return value.to(like).view(-1, *[1] * (like.dim() - 1))
    return value


def _check_tags(cam: Tensor, tags: Tensor) -> None:
    if cam.dim() != 4 or tags.shape != cam.shape[:2]:
        raise ValueError(
            'expected CAMs (B, K, H, W) and tags (B, K) of the same images and classes, received '
            f'{tuple(cam.shape)} and {tuple(tags.shape)}'
        )


def _present_classes(cam: Tensor, tags: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """CAMs of the present classes first, as many as the image with most classes has."""
    _check_tags(cam, tags)
    count = max([1, *(tags > 0).sum(dim=1).tolist()])
    present, classes = (tags > 0).to(torch.uint8).sort(dim=1, descending=True, stable=True)
    present, classes = present[:, :count].bool(), classes[:, :count]
    cam = at_least_float32(cam)
    index = classes[:, :, None, None].expand(-1, -1, *cam.shape[-2:])
    scores = cam.gather(1, index) * tags.to(cam).gather(1, classes)[:, :, None, None]
    return scores, classes, present


def _with_background(scores: Tensor, present: Tensor, background: float | Tensor) -> Tensor:
    constant = torch.ones_like(scores[:, :1]) * _per_image(background, scores)
    scores = scores.masked_fill(~present[:, :, None, None], -torch.inf)
    return torch.cat((constant, scores), dim=1).softmax(dim=1)


def _winner(masks: Tensor, classes: Tensor, present: Tensor, size: Sequence[int]) -> Tensor:
    """Label of the strongest channel, of which the first is the background."""
    masks = F.interpolate(masks, tuple(size), mode='bilinear', align_corners=False)
    background, foreground = masks.split((1, masks.shape[1] - 1), dim=1)
    foreground = foreground.masked_fill(~present[:, :, None, None], -torch.inf)
    # On a CPU twice as fast as argmax, with the same choice of the first.
    winner = torch.cat((background, foreground), dim=1).max(dim=1).indices
    labels = F.pad(classes + 1, (1, 0))
    return labels.gather(1, winner.flatten(1)).view_as(winner)
