"""Straightforward formulations of the same equations, to compare values and speed with.

They follow the equations word by word: every neighbour is copied, every image is a turn of a loop,
nothing is shared. Slow, and easy to check by reading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

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


def enclosing_simplex(point: Sequence[float]) -> list[tuple[tuple[int, ...], float]]:
    """The corners of the permutohedral lattice around a point, and the weight of each."""
    size = len(point) + 1
    scaled = [
        value * (2 / 3) ** 0.5 * size / ((axis + 1) * (axis + 2)) ** 0.5
        for axis, value in enumerate(point)
    ]
    place = [sum(scaled)]
    place += [sum(scaled[axis + 1 :]) - (axis + 1) * scaled[axis] for axis in range(size - 1)]
    corner = [size * round(value / size) for value in place]

    def remainder(axis: int) -> float:
        return place[axis] - corner[axis]

    while sum(corner) > 0:
        corner[min(reversed(range(size)), key=remainder)] -= size
    while sum(corner) < 0:
        corner[max(range(size), key=remainder)] += size
    falling = sorted(range(size), key=remainder, reverse=True)
    rest = [remainder(axis) / size for axis in falling]
    weights = [1 - rest[0] + rest[-1]]
    weights += [rest[-1 - step] - rest[size - step] for step in range(1, size)]
    corners = []
    for step, weight in enumerate(weights):
        lowered = falling[size - step :]
        moved = (corner[axis] + step - size * (axis in lowered) for axis in range(size))
        corners.append((tuple(moved), weight))
    return corners


def permutohedral_filter(features: Tensor, values: Tensor) -> Tensor:
    """Splat, blur and slice with a dictionary of corners: (N, d) and (N, C) to (N, C)."""
    dims = features.shape[1]
    simplices = [enclosing_simplex(point) for point in features.tolist()]
    table: dict[tuple[int, ...], Tensor] = {}
    for simplex, value in zip(simplices, values, strict=True):
        for corner, weight in simplex:
            table[corner] = table.get(corner, 0) + weight * value
    for direction in range(dims + 1):
        step = [dims if axis == direction else -1 for axis in range(dims + 1)]
        table = {
            corner: value
            + 0.5 * table.get(tuple(a - b for a, b in zip(corner, step, strict=True)), 0)
            + 0.5 * table.get(tuple(a + b for a, b in zip(corner, step, strict=True)), 0)
            for corner, value in table.items()
        }
    rows = [sum(weight * table[corner] for corner, weight in simplex) for simplex in simplices]
    return torch.stack(rows) / (1 + 2**-dims)


def bilateral_filter(image: Tensor, values: Tensor, sigma_rgb: float, sigma_xy: float) -> Tensor:
    """The filter of values (C, H, W) by an image (3, H, W) in [0, 1]."""
    height, width = image.shape[-2:]
    features = [
        [column / sigma_xy, row / sigma_xy, *(255 * image[:, row, column] / sigma_rgb).tolist()]
        for row in range(height)
        for column in range(width)
    ]
    points = torch.tensor(features, dtype=image.dtype)
    return permutohedral_filter(points, values.flatten(1).T).T.unflatten(1, (height, width))


def dense_energy(
    image: Tensor,
    probabilities: Tensor,
    region: Tensor,
    ignored: Tensor,
    sigma_rgb: float,
    sigma_xy: float,
) -> Tensor:
    """The energy of an image at its own size, from (3, H, W), (K, H, W) and masks (H, W)."""
    selected = probabilities * region
    with torch.no_grad():
        gate = (region - probabilities.amax(dim=0)).clamp(min=0)
        gate[ignored] = 1
        spread = gate * bilateral_filter(image, selected, sigma_rgb, sigma_xy)
    energy = -(selected * spread).sum()
    # ToCo's gradient is twice that of the product, whose second factor is a constant.
    return 2 * energy - energy.detach()


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
        inner = tuple(slice(margin, side - margin) for side in regions.shape)
        candidates = (regions[inner] <= 1).nonzero()
        if len(candidates) < num_crops:
            candidates = torch.ones_like(regions[inner]).nonzero()
        order = key[inner][candidates[:, 0], candidates[:, 1]].argsort(descending=True)
        for row, column in candidates[order[:num_crops]].tolist():
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


def label_of_cam(
    cam: Tensor, tags: Tensor, low: float, high: float, box: Sequence[int], ignore_index: int = 255
) -> Tensor:
    """Label map of one image from CAMs (K, h, w), its box in rows and columns of the map."""
    score, index = (cam * tags[:, None, None]).max(dim=0)
    label = index + 1
    label[score <= high] = ignore_index
    label[score <= low] = 0
    row0, row1, col0, col1 = box
    boxed = torch.full_like(label, ignore_index)
    boxed[row0:row1, col0:col1] = label[row0:row1, col0:col1]
    return boxed


def box_in_cells(box: Sequence[int], size: Sequence[int], grid: Sequence[int]) -> list[int]:
    """A box of pixels in cells of a grid; a cell counts by its centre."""
    return [
        sum((cell + 0.5) * size[axis] / grid[axis] < border for cell in range(grid[axis]))
        for axis, border in zip((0, 0, 1, 1), box, strict=True)
    ]


def patch_token_contrast(features: Tensor, labels: Tensor, ignore_index: int = 255) -> Tensor:
    """Equation (11) with ToCo's halves, absolute value and ones, one image at a time."""
    same = different = features.new_zeros(())
    same_count = different_count = 1
    for tokens, label in zip(features.flatten(2), labels.flatten(1), strict=True):
        unit = F.normalize(tokens, dim=0, eps=1e-8)
        similarity = (unit.T @ unit).abs()
        target = (label[:, None] == label[None, :]).long()
        target[label == ignore_index, :] = ignore_index
        target[:, label == ignore_index] = ignore_index
        target.fill_diagonal_(ignore_index)
        same = same + similarity[target == 1].sum()
        different = different + similarity[target == 0].sum()
        same_count = same_count + (target == 1).sum()
        different_count = different_count + (target == 0).sum()
    return 0.5 * (1 - same / same_count) + 0.5 * different / different_count


def balanced_cross_entropy(
    logits: Tensor, label: Tensor, foreground_weight: float = 0.5, ignore_index: int = 255
) -> Tensor:
    """The cross entropies of background and foreground, each with its share."""
    total = logits.new_zeros(())
    for share, other in ((1 - foreground_weight, label != 0), (foreground_weight, label == 0)):
        part = label.masked_fill(other, ignore_index)
        if bool((part != ignore_index).any()):
            total = total + share * F.cross_entropy(logits, part, ignore_index=ignore_index)
    return total


def normalized(cam: Tensor, eps: float = 1e-5) -> Tensor:
    """CAMs in [0, 1], per image and class."""
    cam = cam - cam.amin(dim=(-2, -1), keepdim=True)
    return cam / (cam.amax(dim=(-2, -1), keepdim=True) + eps)


def transformer(segmentor: Any) -> Any:
    """The transformer of a segmentor with or without a CNN beside it."""
    return getattr(segmentor.backbone, 'vit', segmentor.backbone)


def of_cnn(segmentor: Any, name: str) -> bool:
    """Whether a CAM is that of the CNN."""
    return segmentor.cams[name].reads == ('cnn',)


# The parts that are written out here, by their names in the configs of ToCo and of the dual branch.
_FORMULATED = {
    'cams.final': 'CAMHead',
    'cams.aux': 'CAMHead',
    'cams.cnn': 'CAMHead',
    'labels.pixel': 'PixelLabels',
    'labels.token': 'TokenLabels',
    'labels.region': 'RegionMask',
    'terms.cls': 'ClassificationTerm',
    'terms.ptc': 'PatchTokenContrastTerm',
    'terms.ctc': 'ClassTokenContrastTerm',
    'terms.seg': 'SegmentationTerm',
    'terms.energy': 'EnergyTerm',
    'terms.consistency': 'ConsistencyTerm',
}


def not_formulated(segmentor: Any) -> list[str]:
    """The parts of a segmentor for which :func:`training_losses` has no formulation."""
    parts = {
        f'{key}.{name}': type(part).__name__
        for key in ('cams', 'heads', 'labels', 'terms')
        for name, part in getattr(segmentor, key, {}).items()
    }
    found = [name for name, kind in parts.items() if _FORMULATED.get(name) != kind]
    return found if segmentor.decode_head is not None else ['decode_head', *found]


def run_networks(segmentor: Any, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Transformer and decoder, which a plain training loop runs together."""
    reads = {name for source in segmentor.cams.values() for name in source.reads} - {'cnn'}
    names = sorted({'patch', 'class', *reads, *segmentor.decode_reads})
    features = transformer(segmentor).forward_features(image, names)
    maps = tuple(features[name] for name in segmentor.decode_reads)
    return features, segmentor.decode_head.forward(maps)


def run_cnn(segmentor: Any, image: Tensor) -> Tensor:
    """The last map of the CNN."""
    return segmentor.backbone.forward_features(image, ['cnn'])['cnn']


def _no_part(_name: str) -> AbstractContextManager:
    return nullcontext()


@torch.no_grad()
def multi_scale_cams(segmentor: Any, image: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    """Normalised CAMs; the networks run on image and mirror image at every scale, decoder too."""
    images, size = len(image), image.shape[-2:]
    sums: dict[str, Tensor] = {}
    for scale in segmentor.multi_scale['scales']:
        scaled = _resize(image, [int(scale * side) for side in size])
        both = torch.cat((scaled, scaled.flip(-1)))
        features, _ = run_networks(segmentor, both)
        if any(of_cnn(segmentor, name) for name in names):
            features['cnn'] = run_cnn(segmentor, both)
        for name in names:
            source = segmentor.cams[name]
            raw = _resize(F.conv2d(features[source.reads[0]], source.classifier.weight), size)
            merged = torch.maximum(raw[:images], raw[images:].flip(-1)).relu()
            sums[name] = sums[name] + merged if name in sums else merged
    return {name: normalized(total) for name, total in sums.items()}


def label_cams(segmentor: Any) -> dict[str, tuple[str, ...]]:
    """The names of the CAMs that make each label at the first iteration."""
    return {name: maker.schedule.at(0) for name, maker in segmentor.labels.items()}


def mean_cam(cams: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    """The mean of CAMs, normalised again where there are several."""
    total = sum(cams[name] for name in names)
    return total if len(names) == 1 else normalized(total / len(names))


def training_losses(
    segmentor: Any,
    inputs: Mapping[str, Tensor],
    data_samples: Sequence[Any],
    part: Callable[[str], AbstractContextManager] = _no_part,
) -> dict[str, Tensor]:
    """The losses of one iteration with a segmentor's networks and settings, in ToCo's order.

    CAM passes with decoder, view 1 forwarded three times (for the losses, as the student's view and
    as the teacher's, with a graph that is detached), refinement twice per image, loops over images
    and crops. ``part`` is entered with the name of each part of the work. Parts of the segmentor
    have the names that the configs of ToCo and of the dual branch give them; all terms have begun.
    """
    image = inputs['view1']
    tags = torch.stack([sample.gt_tags for sample in data_samples]).to(image)
    boxes = [sample.metainfo['box'] for sample in data_samples]
    low, high = segmentor.thresholds.low, segmentor.thresholds.high
    terms, makers = segmentor.terms, label_cams(segmentor)
    losses: dict[str, Tensor] = {}
    with part('CAM passes'):
        names = sorted({name for used in makers.values() for name in used})
        cams = multi_scale_cams(segmentor, image, names)
    with part('main view'):
        features, logits = run_networks(segmentor, image)
        logits = _resize(logits, image.shape[-2:])
        if any(of_cnn(segmentor, name) for name in segmentor.cams):
            features['cnn'] = run_cnn(segmentor, image)
    if 'cls' in terms:
        with part('terms.cls'):
            losses.update(classification_losses(segmentor, features, tags))
    if 'ptc' in terms:
        with part('labels.token'):
            cam = mean_cam(cams, makers['token'])
            tokens = token_labels(cam, tags, low, high, boxes, features)
        with part('terms.ptc'):
            losses['loss_ptc'] = patch_token_contrast(features['patch'], tokens)
    if 'ctc' in terms:
        with part('labels.region'):
            regions = region_masks(mean_cam(cams, makers['region']), tags, low, high)
        with part('terms.ctc'):
            losses['loss_ctc'] = class_token_loss(segmentor, inputs, regions, data_samples)
    if 'seg' in terms or 'energy' in terms:
        with part('labels.pixel'):
            label = pseudo_label(segmentor, image, mean_cam(cams, makers['pixel']), tags, boxes)
    if 'seg' in terms:
        with part('terms.seg'):
            share = terms['seg'].loss.foreground_weight
            losses['loss_seg'] = balanced_cross_entropy(logits, label, share)
    if 'energy' in terms:
        with part('terms.energy'):
            losses['loss_energy'] = energy_loss(segmentor, image, logits, label, boxes)
    if 'consistency' in terms:
        with part('terms.consistency'):
            losses.update(consistency_losses(segmentor, features, tags))
    return {name: terms[name.split('_')[1]].loss_weight * loss for name, loss in losses.items()}


def classification_losses(
    segmentor: Any, features: Mapping[str, Tensor], tags: Tensor
) -> dict[str, Tensor]:
    """Equation (10): pooling, classifier and loss (9) of every CAM head."""
    losses = {}
    for name, head in segmentor.cams.items():
        maps = features[head.reads[0]]
        pooled = maps.amax(dim=(2, 3)) if head.pooling == 'max' else maps.mean((2, 3))
        scores = pooled @ head.classifier.weight.flatten(1).T
        key = f'loss_cls_{name}' if len(segmentor.cams) > 1 else 'loss_cls'
        losses[key] = F.multilabel_soft_margin_loss(scores, tags)
    return losses


def token_labels(
    cam: Tensor,
    tags: Tensor,
    low: float,
    high: float,
    boxes: Sequence[Sequence[int]],
    features: Mapping[str, Tensor],
) -> Tensor:
    """Labels of the tokens for loss (11)."""
    grid = features['patch'].shape[-2:]
    labels = [
        label_of_cam(image_cam, image_tags, low, high, box_in_cells(box, cam.shape[-2:], grid))
        for image_cam, image_tags, box in zip(_resize(cam, grid), tags, boxes, strict=True)
    ]
    return torch.stack(labels)


def region_masks(cam: Tensor, tags: Tensor, low: float, high: float) -> list[Tensor]:
    """Background, uncertain and foreground pixels of each image."""
    regions = []
    for image_cam, image_tags in zip(cam, tags, strict=True):
        score = (image_cam * image_tags[:, None, None]).amax(dim=0)
        region = torch.ones_like(score, dtype=torch.int16)
        region[score <= low] = 0
        region[score >= high] = 2
        regions.append(region)
    return regions


def class_token_loss(
    segmentor: Any,
    inputs: Mapping[str, Tensor],
    regions: Sequence[Tensor],
    data_samples: Sequence[Any],
) -> Tensor:
    """Equation (12) with passes of its own for the student's and for the teacher's views."""
    keys = []
    for region, sample in zip(regions, data_samples, strict=True):
        generator = torch.Generator(region.device).manual_seed(sample.metainfo['sample_seed'])
        keys.append(torch.rand(region.shape, generator=generator, device=region.device))
    term = segmentor.terms['ctc']
    crops = term.local_crops
    _, local, positive = local_crops(
        inputs['local'],
        torch.stack(list(regions)),
        torch.stack(keys),
        crops['num'],
        crops['size'],
        crops['positive_threshold'],
    )
    views = torch.cat((inputs['view1'], inputs['view2']))

    def class_token(image: Tensor) -> Tensor:
        return transformer(segmentor).forward_features(image, ['class'])['class']

    head, ema = term.projection_head, term.teacher
    with torch.no_grad():
        for mean, parameter in zip(ema.module.parameters(), head.parameters(), strict=True):
            mean.mul_(1 - ema.momentum).add_(parameter, alpha=ema.momentum)
    teacher = ema.module(class_token(views)).detach()
    student = head(class_token(views))
    student_local = head(class_token(local.flatten(0, 1)))
    images = len(regions)
    teacher, student = (
        rows.unflatten(0, (2, images)).transpose(0, 1) for rows in (teacher, student)
    )
    student = torch.cat((student, student_local.unflatten(0, (images, -1))), dim=1)
    positive = F.pad(positive.to(student.device), (2, 0), value=True)
    return class_token_contrast(student, teacher, positive, term.loss.temperature)


def picture(segmentor: Any, image: Tensor) -> Tensor:
    """RGB images in [0, 1]."""
    mean, std = segmentor.data_preprocessor.mean, segmentor.data_preprocessor.std
    return ((image * std + mean) / 255).clamp(0, 1)


def energy_loss(
    segmentor: Any,
    image: Tensor,
    logits: Tensor,
    label: Tensor,
    boxes: Sequence[Sequence[int]],
    ignore_index: int = 255,
) -> Tensor:
    """The energy of ToCo's regulariser at its scale, one image at a time."""
    loss, total = segmentor.terms['energy'].loss, logits.new_zeros(())
    pictures, probabilities = picture(segmentor, image), logits.softmax(dim=1)
    for index, (row0, row1, col0, col1) in enumerate(boxes):
        region = torch.zeros_like(pictures[index, :1])
        region[:, row0:row1, col0:col1] = 1
        ignored = (label[index, None] == ignore_index).to(region)
        nearest = torch.cat((pictures[index], region, ignored)).unsqueeze(0)
        nearest = F.interpolate(nearest, scale_factor=loss.scale, mode='nearest')[0]
        small = _resize(probabilities[index : index + 1], nearest.shape[-2:])[0]
        masks = nearest[3], nearest[4].bool()
        sigmas = loss.sigma_rgb, loss.sigma_xy * loss.scale
        total = total + dense_energy(nearest[:3], small, *masks, *sigmas)
    return loss.factor * total / len(image)


@torch.no_grad()
def pseudo_label(
    segmentor: Any, image: Tensor, cam: Tensor, tags: Tensor, boxes: Sequence[Sequence[int]]
) -> Tensor:
    """The refined label of view 1."""
    settings = segmentor.labels['pixel'].refine
    return refined_pseudo_label(
        picture(segmentor, image),
        cam,
        tags,
        segmentor.thresholds.low,
        segmentor.thresholds.high,
        torch.tensor(boxes),
        refine=lambda small, masks: par(small, masks, settings.num_iter, settings.dilations),
    )


def consistency_losses(
    segmentor: Any, features: Mapping[str, Tensor], tags: Tensor
) -> dict[str, Tensor]:
    """Equation (1) between the CAMs of pairs, which are those of the CNN and the transformer."""
    cams = {
        name: normalized(F.conv2d(features[head.reads[0]], head.classifier.weight).relu())
        for name, head in segmentor.cams.items()
    }
    term = segmentor.terms['consistency']
    return {
        f'loss_consistency_{first}': term.loss(cams[first], cams[second], tags)
        for first, second in term.pairs
    }


@torch.no_grad()
def predict(segmentor: Any, image: Tensor, tags: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Segmentation (B, H, W) and the score of the best present class of every CAM."""
    _, logits = run_networks(segmentor, image)
    cams = multi_scale_cams(segmentor, image, list(segmentor.cams))
    scores = {name: (cam * tags[:, :, None, None]).amax(dim=1) for name, cam in cams.items()}
    return _resize(logits, image.shape[-2:]).argmax(dim=1), scores
