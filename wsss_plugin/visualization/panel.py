"""One image beside its masks and CAMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mmseg.structures import SegDataSample

from wsss_plugin.cam_fields import cam_fields, cam_title
from wsss_plugin.distinct_palette import distinct_palette
from wsss_plugin.visualization.cam_picture import CAMPicture
from wsss_plugin.visualization.drawn_text import draw_literally
from wsss_plugin.visualization.legend import draw_legend, fraction

LABEL_TITLES = {'pseudo_label': 'pseudo label', 'pred_sem_seg': 'segmentation'}
_LONG_TITLES = {'aux_cam': 'auxiliary CAM'}
_CELL_WIDTH = 2.4
_DOTS_PER_INCH = 100
_LONGEST_TITLE = 60
_IGNORED_COLOUR = (224, 224, 224)

Palette = Sequence[Sequence[int]]


def default_palette(num_classes: int) -> list[list[int]]:
    """Colours for a data set that has none: black for the background, then distinct ones.

    Args:
        num_classes: Number of classes, background included.

    Returns:
        Colours (C, 3), 0 to 255.

    >>> default_palette(3)
    [[0, 0, 0], [0, 0, 255], [0, 255, 0]]
    """
    return [[0, 0, 0], *distinct_palette(num_classes - 1)]


def overlay_label(
    image: np.ndarray,
    label: np.ndarray,
    palette: Palette,
    ignore_index: int = 255,
    opacity: float = 0.65,
) -> np.ndarray:
    """The image under the colours of a label map; the background stays as it is.

    Args:
        image: RGB image (H, W, 3), uint8.
        label: Label map (H, W).
        palette: Colours (C, 3), 0 to 255.
        ignore_index: Value that is drawn light grey.
        opacity: Weight of the colours in [0, 1].

    Returns:
        RGB image (H, W, 3), uint8.

    Raises:
        ValueError: If sizes differ or a value has no colour.
    """
    _check_size(image, label, 'the label map')
    ignored = label == ignore_index
    if label[~ignored].max(initial=0) >= len(palette):
        raise ValueError(
            f'expected label values below {len(palette)}, the number of colours, or '
            f'{ignore_index}, received {label[~ignored].max()}; give the classes of the data set'
        )
    colours = np.asarray(palette, dtype=np.float32)[np.where(ignored, 0, label)]
    colours[ignored] = _IGNORED_COLOUR
    return _blend(image, colours, opacity * (label > 0))


def overlay_heat(
    image: np.ndarray,
    score: np.ndarray,
    label: np.ndarray,
    palette: Palette,
    opacity: float = 0.75,
) -> np.ndarray:
    """The image under scores, each in the colour of its class; without score it stays as it is.

    Args:
        image: RGB image (H, W, 3), uint8.
        score: Scores (H, W) in [0, 1].
        label: Class of each score (H, W); 0 for scores of no class, which go from blue to red.
        palette: Colours (C, 3), 0 to 255.
        opacity: Weight of the colour at a score of 1, in [0, 1].

    Returns:
        RGB image (H, W, 3), uint8.

    Raises:
        ValueError: If sizes differ.
    """
    _check_size(image, score, 'the CAM')
    _check_size(image, label, "the CAM's classes")
    colours = np.asarray(palette, dtype=np.float32)[label]
    without = label == 0
    colours[without] = colormaps['jet'](score[without])[..., :3] * 255
    return _blend(image, colours, opacity * np.clip(score, 0, 1))


def draw_panel(
    image: np.ndarray,
    classes: Sequence[str],
    palette: Palette | None = None,
    ground_truth: np.ndarray | None = None,
    cams: Mapping[str, CAMPicture] | None = None,
    predictions: Mapping[str, np.ndarray] | None = None,
    cam_threshold: float = 0.5,
    title: str = '',
    ignore_index: int = 255,
    show_image: bool = True,
    pictures: Mapping[str, np.ndarray] | None = None,
    scores: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Draws image, ground truth, CAMs and segmentations in one row with the names of the classes.

    Lines on a CAM surround the pixels above the threshold, which is in its title, in the colour of
    their class.

    Args:
        image: RGB image (H, W, 3), uint8.
        classes: Names of the classes, background first.
        palette: Colours (C, 3), 0 to 255.
        ground_truth: True label map (H, W).
        cams: CAMs by title.
        predictions: Predicted label maps (H, W) by title.
        cam_threshold: Scores up to it are background.
        title: Text above the image.
        ignore_index: Value of a label map without class.
        show_image: Whether the image itself is drawn, beside what lies over it.
        pictures: Further RGB pictures (H, W, 3) by title, which come last.
        scores: mIoU in percent by title, for CAMs and segmentations that have one.

    Returns:
        RGB picture, uint8; its height follows from the shape of the image.

    Raises:
        ValueError: If sizes differ or a label has no class.
    """
    palette = default_palette(len(classes)) if palette is None else palette[: len(classes)]
    cams, predictions = cams or {}, predictions or {}
    shown = [(title or 'image', image)] if show_image else []
    if ground_truth is not None:
        overlay = overlay_label(image, ground_truth, palette, ignore_index)
        shown.append(('ground truth', overlay))
    first_cam = len(shown)
    for name, cam in cams.items():
        heat = overlay_heat(image, cam.score, cam.label, palette)
        text = f'{name} > {cam_threshold:g}' if cam_threshold else name
        shown.append((_title(text, name, scores), heat))
    for name, label in predictions.items():
        overlay = overlay_label(image, label, palette, ignore_index)
        shown.append((_title(name, name, scores), overlay))
    shown += (pictures or {}).items()
    areas = [np.where(cam.score > cam_threshold, cam.label, 0) for cam in cams.values()]
    maps = [*([] if ground_truth is None else [ground_truth]), *predictions.values()]
    figure, axes = _row_of_axes(image, len(shown))
    for axis, (name, picture) in zip(axes, shown, strict=True):
        axis.imshow(picture)
        draw_literally(axis.set_title('', fontsize=9), name, _LONGEST_TITLE)
    for axis, area in zip(axes[first_cam:], areas, strict=False):
        _draw_outlines(axis, area, palette)
    _draw_legend(figure, [*maps, *areas], classes, palette, ignore_index)
    return _pixels(figure)


def panel_from_sample(
    image: np.ndarray,
    data_sample: SegDataSample,
    classes: Sequence[str],
    palette: Palette | None = None,
    cam_threshold: float = 0.5,
    title: str = '',
    show_image: bool = True,
    scores: Mapping[str, float] | None = None,
) -> np.ndarray:
    """Draws whatever a predicted data sample holds.

    Args:
        image: RGB image (H, W, 3), uint8, at the original size.
        data_sample: Sample with any of ``gt_sem_seg``, CAMs such as ``cam`` and ``aux_cam``,
            ``pseudo_label`` and ``pred_sem_seg``.
        classes: Names of the classes, background first.
        palette: Colours (C, 3), 0 to 255.
        cam_threshold: Scores up to it are background.
        title: Text above the image.
        show_image: Whether the image itself is drawn, beside what lies over it.
        scores: mIoU in percent by field.

    Returns:
        RGB picture, uint8.
    """
    label_maps = {title: _label_map(data_sample, field) for field, title in LABEL_TITLES.items()}
    return draw_panel(
        image,
        classes,
        palette,
        ground_truth=_label_map(data_sample, 'gt_sem_seg'),
        cams={
            _field_title(field): _cam(data_sample, field)
            for field in cam_fields(data_sample.keys())
        },
        predictions={title: label for title, label in label_maps.items() if label is not None},
        cam_threshold=cam_threshold,
        title=title,
        show_image=show_image,
        scores={_field_title(field): score for field, score in (scores or {}).items()},
    )


def panel_of_models(
    image: np.ndarray,
    data_samples: Mapping[str, SegDataSample],
    classes: Sequence[str],
    palette: Palette | None = None,
    cam_threshold: float = 0.5,
    title: str = '',
    show_image: bool = True,
    scores: Mapping[str, Mapping[str, float]] | None = None,
) -> np.ndarray:
    """Draws what several models make of an image: their CAMs, pseudo labels and segmentations.

    Args:
        image: RGB image (H, W, 3), uint8, at the original size.
        data_samples: The sample that each model predicted, by its name; ``cam``, ``pseudo_label``
            and ``pred_sem_seg`` are drawn where present.
        classes: Names of the classes, background first.
        palette: Colours (C, 3), 0 to 255.
        cam_threshold: Scores up to it are background.
        title: Text above the image.
        show_image: Whether the image itself is drawn, beside what lies over it.
        scores: mIoU in percent by field, by the name of each model.

    Returns:
        RGB picture, uint8.

    Raises:
        ValueError: If there is no model.
    """
    if not data_samples:
        raise ValueError('expected the samples of one model or more, received none')
    label_maps = {
        f'{title}: {name}': _label_map(item, field)
        for field, title in LABEL_TITLES.items()
        for name, item in data_samples.items()
    }
    return draw_panel(
        image,
        classes,
        palette,
        ground_truth=_label_map(next(iter(data_samples.values())), 'gt_sem_seg'),
        cams={
            f'CAM: {name}': _cam(item, 'cam')
            for name, item in data_samples.items()
            if 'cam' in item
        },
        predictions={title: label for title, label in label_maps.items() if label is not None},
        cam_threshold=cam_threshold,
        title=title,
        show_image=show_image,
        scores={
            f'{_field_title(field)}: {name}': score
            for name, of_model in (scores or {}).items()
            for field, score in of_model.items()
        },
    )


def _field_title(field: str) -> str:
    return LABEL_TITLES.get(field) or _LONG_TITLES.get(field) or cam_title(field)


def _title(text: str, name: str, scores: Mapping[str, float] | None) -> str:
    score = (scores or {}).get(name)
    return text if score is None else f'{text}, mIoU {score:.1f}'


def _cam(data_sample: SegDataSample, field: str) -> CAMPicture:
    data = data_sample.get(field)
    return CAMPicture(_plane(data.score), _plane(data.label))


def _label_map(data_sample: SegDataSample, field: str) -> np.ndarray | None:
    return _plane(data_sample.get(field).data) if field in data_sample else None


def _plane(data: object) -> np.ndarray:
    array = np.asarray(data.cpu() if hasattr(data, 'cpu') else data)
    return array.reshape(array.shape[-2:])


def _check_size(image: np.ndarray, plane: np.ndarray, name: str) -> None:
    if image.ndim != 3 or plane.shape != image.shape[:2]:
        raise ValueError(
            f'expected {name} at the size of the image {image.shape[:2]}, received {plane.shape}; '
            'draw predictions at the original size'
        )


def _blend(image: np.ndarray, colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Mixes by an opacity (H, W) in [0, 1]."""
    blended = image + opacity[..., None] * (colours - image.astype(np.float32))
    return blended.round().clip(0, 255).astype(np.uint8)


def _row_of_axes(image: np.ndarray, number: int) -> tuple[Figure, list[Axes]]:
    cell = _CELL_WIDTH * min(max(image.shape[0] / image.shape[1], 0.4), 1.6)
    above, below = 0.28, 0.34
    height = cell + above + below
    figure = Figure(figsize=(number * _CELL_WIDTH, height), dpi=_DOTS_PER_INCH)
    axes = figure.subplots(1, number, squeeze=False)[0]
    figure.subplots_adjust(
        left=0.004, right=0.996, bottom=below / height, top=1 - above / height, wspace=0.03
    )
    for axis in axes:
        axis.set_axis_off()
    return figure, list(axes)


def _draw_outlines(axis: Axes, area: np.ndarray, palette: Palette) -> None:
    for index in np.unique(area[area > 0]):
        inside = area == index
        if min(area.shape) > 1 and not inside.all():
            colour = fraction(palette[index])
            axis.contour(inside.astype(np.float32), [0.5], colors='white', linewidths=2.4)
            axis.contour(inside.astype(np.float32), [0.5], colors=[colour], linewidths=1.2)


def _draw_legend(
    figure: Figure,
    maps: Sequence[np.ndarray],
    classes: Sequence[str],
    palette: Palette,
    ignore_index: int,
) -> None:
    values = sorted({int(value) for label in maps for value in np.unique(label)} - {0})
    entries = [(classes[value], palette[value]) for value in values if value != ignore_index]
    entries += [('ignored', _IGNORED_COLOUR)] if ignore_index in values else []
    draw_legend(figure, entries)


def _pixels(figure: Figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
