"""Instances JSON of COCO, checked entry by entry."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from PIL import Image
from pycocotools.coco import COCO

from wsss_plugin.datasets.class_names import is_background
from wsss_plugin.datasets.file_names import relative_name
from wsss_plugin.datasets.text_files import is_one_line, read_json
from wsss_plugin.errors import DataError, received

_KINDS = {'images': 'image', 'annotations': 'annotation', 'categories': 'category'}
Entries = list[dict[str, Any]]
# Pillow takes larger ones for an attack and opens them no more.
_MOST_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)


def load_coco(path: str) -> COCO:
    """Reads an instances JSON whose entries point to each other, without pycocotools' messages.

    Args:
        path (str): The file.

    Returns:
        COCO: Its index; names of files have ``/`` between their parts.

    Raises:
        DataError: The file is no instances JSON, an entry of it is not understood, two have one
            id, file or name, or an entry names another that is not there.
    """
    content = read_json(path)
    _require_lists(path, content)
    _check_categories(path, content['categories'])
    _check_images(path, content['images'])
    _check_annotations(path, content)
    coco = COCO()
    coco.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def require_keys(
    path: str, kind: str, entries: Iterable[Mapping[str, Any]], keys: Sequence[str]
) -> None:
    """Checks that entries of an instances JSON say what is needed of them.

    Args:
        path (str): The file.
        kind (str): What the entries are.
        entries (Iterable[Mapping]): The entries, which have ids.
        keys (Sequence[str]): What every entry needs.

    Raises:
        DataError: A key is missing.
    """
    for entry in entries:
        for key in keys:
            if entry.get(key) is None:
                raise DataError(
                    f'{path}: expected {key!r} in {kind} {received(entry["id"])}, received none; '
                    'add it'
                )


def require_value(
    path: str,
    kind: str,
    entry: Mapping[str, Any],
    key: str,
    fits: Callable[[Any], bool],
    meaning: str,
) -> None:
    """Checks a value of an entry of an instances JSON.

    Args:
        path (str): The file.
        kind (str): What the entry is.
        entry (Mapping): The entry, which has an id.
        key (str): Which value.
        fits (Callable): Whether a value is of the right kind.
        meaning (str): What the right kind is.

    Raises:
        DataError: The value is of another kind.
    """
    require_keys(path, kind, [entry], (key,))
    if not fits(entry[key]):
        raise DataError(
            f'{path}: expected {meaning} as {key!r} in {kind} {received(entry["id"])}, received '
            f'{received(entry[key])}; correct it'
        )


def require_sizes(path: str, images: Iterable[Mapping[str, Any]]) -> None:
    """Checks that images of an instances JSON say their sizes.

    Args:
        path (str): The file.
        images (Iterable[Mapping]): The images.

    Raises:
        DataError: A height or width is missing or no whole number from 1, or an image has more
            pixels than can be opened.
    """
    for image in images:
        for key in ('height', 'width'):
            require_value(path, 'image', image, key, _is_side, 'a whole number from 1')
        if image['height'] * image['width'] > _MOST_PIXELS:
            raise DataError(
                f'{path}: expected at most {_MOST_PIXELS} pixels in image '
                f'{received(image["id"])}, received {received(image["height"])} x '
                f'{received(image["width"])}; correct the size, or divide the image'
            )


def _require_lists(path: str, content: Any) -> None:
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key, []), list) for key in _KINDS
    ):
        raise DataError(
            f'{path}: expected an instances JSON of COCO, received other content '
            f'({received(content)}); download it again or correct it'
        )
    missing = [key for key in _KINDS if key not in content]
    if missing:
        raise DataError(
            f'{path}: expected an instances JSON of COCO, received one without '
            f'{", ".join(missing)}; use instances_*.json, not captions or keypoints'
        )
    for key in ('images', 'categories'):
        if not content[key]:
            raise DataError(f'{path}: expected at least one {_KINDS[key]}, received none; add it')
    for key, kind in _KINDS.items():
        _check_ids(path, kind, content[key])


def _check_ids(path: str, kind: str, entries: list[Any]) -> None:
    seen: set[int | str] = set()
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not _is_id(entry.get('id')):
            shown = entry.get('id') if isinstance(entry, dict) else entry
            raise DataError(
                f'{path}: expected an instances JSON of COCO with an id for every {kind}, a whole '
                f'number or a text, received {received(shown)} for number {number} from 0; '
                'correct it'
            )
        if entry['id'] in seen:
            raise DataError(
                f'{path}: expected an id of its own for every {kind}, received '
                f'{received(entry["id"])} twice; files that were joined need new ids'
            )
        if type(entry['id']) is not type(entries[0]['id']):
            raise DataError(
                f'{path}: expected ids of one type for every {kind}, received '
                f'{received(entries[0]["id"])} and {received(entry["id"])}; write all as whole '
                'numbers'
            )
        seen.add(entry['id'])


def _is_id(value: Any) -> bool:
    # True and 1.0 equal 1 in every look-up.
    return type(value) in (int, str)


def _check_categories(path: str, categories: Entries) -> None:
    names: dict[str, Any] = {}
    for category in categories:
        require_value(path, 'category', category, 'id', _is_number, 'a whole number')
        require_value(path, 'category', category, 'name', _is_name, 'a name on one line')
        name = category['name'] = category['name'].strip()
        if is_background(name):
            raise DataError(
                f'{path}: expected categories of objects, received {name!r} with id '
                f'{category["id"]}; remove it and its annotations, the background is what has none'
            )
        if name in names:
            raise DataError(
                f'{path}: expected a name of its own for every category, received '
                f'{received(name)} with the ids {names[name]} and {category["id"]}; remove one '
                'and give its annotations the id of the other'
            )
        names[name] = category['id']


def _check_images(path: str, images: Entries) -> None:
    files: dict[str, Any] = {}
    for image in images:
        require_value(path, 'image', image, 'file_name', _is_name, 'a name on one line')
        where = f'{path}: image {received(image["id"])}'
        image['file_name'] = relative_name(image['file_name'], where)
        # Masks are found by the name without suffix.
        stem = str(PurePosixPath(image['file_name']).with_suffix(''))
        if stem in files:
            raise DataError(
                f'{path}: expected one image for every file, and names that differ beyond their '
                f'suffix, received {received(image["file_name"])} in image '
                f'{received(image["id"])} beside image {received(files[stem])}; join the '
                'annotations under one image, or rename one of the files'
            )
        files[stem] = image['id']


def _check_annotations(path: str, content: Mapping[str, Entries]) -> None:
    images = {image['id'] for image in content['images']}
    categories = {category['id'] for category in content['categories']}
    for annotation in content['annotations']:
        number, image = annotation['id'], annotation.get('image_id')
        category = annotation.get('category_id')
        if not _is_id(image) or image not in images:
            raise DataError(
                f'{path}: expected an image of the file in annotation {received(number)}, received '
                f'image_id {received(image)}; add the image, remove the annotation, or write the '
                'id as the image has it'
            )
        if not _is_id(category) or category not in categories:
            raise DataError(
                f'{path}: expected a category of the file in annotation {received(number)}, '
                f'received category_id {received(category)}; add the category or correct '
                'the annotation'
            )
        if annotation.get('iscrowd') not in (0, 1, None):
            raise DataError(
                f"{path}: expected 0 or 1 as 'iscrowd' in annotation {received(number)}, received "
                f'{received(annotation["iscrowd"])}; correct it'
            )


def _is_number(value: Any) -> bool:
    return type(value) is int


def _is_side(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and is_one_line(value)
