"""Label maps as COCO's annotations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from wsss_plugin.datasets.class_names import BACKGROUND
from wsss_plugin.datasets.image_files import find_images
from wsss_plugin.datasets.label_manifest import CORRECTED_MASKS, LabelManifest
from wsss_plugin.datasets.masks import require_readable_mask
from wsss_plugin.datasets.name_list import chosen_names
from wsss_plugin.datasets.pixel_outlines import pixel_outlines
from wsss_plugin.errors import ConfigError, DataError, MissingFileError, listed, received


def label_annotations(
    label: np.ndarray,
    categories: Mapping[int, int],
    polygons: bool = False,
    components: bool = False,
) -> list[dict[str, Any]]:
    """Describes the classes of a label map as COCO does; what is drawn from it are the same pixels.

    Args:
        label (np.ndarray): Label map (H, W).
        categories (Mapping[int, int]): Category id by value; other values are left out.
        polygons (bool): Whether areas are polygons along the edges of pixels, otherwise compressed
            run lengths.
        components (bool): Whether each group of pixels that touch, be it at a corner, is an
            annotation of its own, otherwise each class.

    Returns:
        list[dict]: Annotations by value, each with ``category_id``, ``segmentation``, ``area`` in
        pixels, ``bbox`` and ``iscrowd``, without ids.

    Example:
        >>> (cat,) = label_annotations(np.array([[0, 3], [0, 3]]), {3: 7}, polygons=True)
        >>> cat['category_id'], cat['segmentation'], cat['area'], cat['bbox']
        (7, [[2, 0, 2, 2, 1, 2, 1, 0]], 2, [1.0, 0.0, 1.0, 2.0])
    """
    annotations = []
    for value, category in categories.items():
        whole = label == value
        for area in _components(whole) if components else [whole] if whole.any() else []:
            encoded = coco_mask.encode(np.asfortranarray(area, np.uint8))
            text = {'size': list(area.shape), 'counts': encoded['counts'].decode('ascii')}
            annotations.append(
                {
                    'category_id': category,
                    'segmentation': pixel_outlines(area) if polygons else text,
                    'area': int(coco_mask.area(encoded)),
                    'bbox': coco_mask.toBbox(encoded).tolist(),
                    'iscrowd': 0,
                }
            )
    return annotations


def _components(area: np.ndarray) -> Iterator[np.ndarray]:
    count, parts = cv2.connectedComponents(area.astype(np.uint8), connectivity=8)
    return (parts == number for number in range(1, count))


def labels_to_write(
    folder: str | Path,
    classes: Sequence[str] | None = None,
    list_file: str | None = None,
    ignore: int = 255,
) -> LabelManifest:
    """Finds the label maps to write.

    Args:
        folder (str | Path): A folder of labels, or of masks.
        classes (Sequence[str] | None): Names of the values from 0, the background, for masks
            without a manifest; None for labels.
        list_file (str | None): Names of the images to take, one per line, with or without suffix;
            None for all.
        ignore (int): Value of pixels without a class, for masks.

    Returns:
        LabelManifest: The folder, with these images.

    Raises:
        ConfigError: The first class is not the background.
        MissingFileError: The folder, its manifest or the list is missing.
        DataError: The manifest is not understood, or the list is empty or names other images.
    """
    if classes is None:
        labels = LabelManifest.read(folder)
    elif classes[0] != BACKGROUND:
        raise ConfigError(
            f'expected {BACKGROUND!r}, the name of the value 0, as the first of --classes, '
            f'received {received(classes[0])}'
        )
    else:
        found = _files_in(Path(folder), 'masks')
        names = tuple(str(Path(name).with_suffix('')) for name in found if name.endswith('.png'))
        labels = LabelManifest(Path(folder), CORRECTED_MASKS, tuple(classes), names, ignore, {})
    if list_file is None:
        return labels
    return replace(labels, images=chosen_names(list_file, set(labels.images), labels.folder))


def coco_of_labels(
    labels: LabelManifest,
    images: str | Path | None = None,
    undecided: str | None = None,
    polygons: bool = False,
    components: bool = False,
) -> tuple[dict[str, Any], float]:
    """Describes a folder of labels as an instances JSON of COCO.

    Categories have the numbers of the labels' values; all but the background have one.

    Args:
        labels (LabelManifest): The folder.
        images (str | Path | None): Folder of the images, whose files are named then; otherwise the
            label maps themselves are.
        undecided (str | None): Name of a category for the pixels without a class, the last one;
            None leaves them out.
        polygons (bool): As for :func:`label_annotations`.
        components (bool): As for :func:`label_annotations`.

    Returns:
        tuple: Content of the JSON, and the share of all pixels that are undecided.

    Raises:
        ConfigError: The name of the undecided is that of a class.
        MissingFileError: A label map, the folder of the images or one of them is missing.
        DamagedFileError: A label map is damaged.
        DataError: A label map is none, has values without a class, or is not of its image's size,
            or an image's name fits several files.
    """
    if undecided in labels.classes:
        raise ConfigError(
            f'expected a name for the undecided beside the classes {listed(labels.classes)}, '
            f'received {received(undecided)}; choose another'
        )
    names = {number: name for number, name in enumerate(labels.classes) if number}
    categories = {number: number for number in names}
    if undecided is not None:
        categories[labels.ignore] = len(labels.classes)
        names[len(labels.classes)] = undecided
    files = {name: labels.path(name) for name in labels.images}
    if images is not None:
        files = _image_files(labels, Path(images))
    content: dict[str, Any] = {
        'info': {'description': labels.kind, 'version': str(labels.content.get('version', ''))},
        'images': [],
        'annotations': [],
        'categories': [{'id': number, 'name': name} for number, name in names.items()],
    }
    ignored = pixels = 0
    for number, (name, file) in enumerate(files.items(), start=1):
        label = _read(labels, name)
        if images is not None:
            _require_size(labels.path(name), label, file)
        entry = {'id': number, 'file_name': f'{name}{file.suffix}'}
        content['images'].append({**entry, 'height': label.shape[0], 'width': label.shape[1]})
        for one in label_annotations(label, categories, polygons, components):
            own = {'id': len(content['annotations']) + 1, 'image_id': number}
            content['annotations'].append({**own, **one})
        ignored, pixels = ignored + int((label == labels.ignore).sum()), pixels + label.size
    return content, ignored / max(pixels, 1)


def _image_files(labels: LabelManifest, folder: Path) -> dict[str, Path]:
    found: dict[str, list[Path]] = {}
    for name, path in _files_in(folder, 'images').items():
        found.setdefault(str(Path(name).with_suffix('')), []).append(path)
    missing = [name for name in labels.images if name not in found]
    if missing:
        raise MissingFileError(
            f'{folder}: expected an image for each label of {labels.folder}, found none for '
            f'{len(missing)}, among them {listed(missing, 3)}; correct --images'
        )
    several = [name for name in labels.images if len(found[name]) > 1]
    if several:
        raise DataError(
            f'{folder}: expected images whose names differ beyond their suffix, received '
            f'{listed(path.relative_to(folder) for path in found[several[0]])}; remove or '
            'rename one of them'
        )
    return {name: found[name][0] for name in labels.images}


def _files_in(folder: Path, kind: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise MissingFileError(f'expected a folder of {kind} at {folder}, found none')
    return find_images(folder)


def _read(labels: LabelManifest, name: str) -> np.ndarray:
    path = labels.path(name)
    require_readable_mask(str(path))
    with Image.open(path) as image:
        label = np.array(image)
    known = {*range(len(labels.classes)), labels.ignore}
    beyond = sorted({*np.unique(label).tolist()} - known)
    if beyond:
        raise DataError(
            f'{path}: expected values of the {len(labels.classes)} classes of its folder or '
            f'{labels.ignore} for pixels without, received {listed(beyond, 6)}; correct the label'
        )
    return label


def _require_size(path: Path, label: np.ndarray, file: Path) -> None:
    with Image.open(file) as image:
        size = (image.height, image.width)
    if size != label.shape:
        raise DataError(
            f'{path}: expected a label of the size {size[0]}x{size[1]} of {file}, received '
            f'{label.shape[0]}x{label.shape[1]}; correct --images'
        )
