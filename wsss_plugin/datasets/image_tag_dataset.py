"""A folder of images and one file of tags."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmseg.registry import DATASETS

from wsss_plugin.datasets.tag_dataset import BACKGROUND, TagDataset
from wsss_plugin.datasets.text_files import read_json, read_text

_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')
_UNLISTED = ('error', 'ignore', 'background')


@DATASETS.register_module()
class ImageTagDataset(TagDataset):
    """Data set of any images with tags in a CSV or JSON file.

    * CSV with a header ``image,tags`` and tags separated by ``;``;
    * CSV with a header ``image,cat,dog,...`` and 0 or 1 in every column;
    * JSON object ``{"image": ["cat", ...]}``;
    * JSON object ``{"classes": ["background", "cat", ...], "labels": {"image": [1, ...]}}``, with
      tags as values of a label map.

    Images are named with or without suffix, relative to the folder of the images. An image whose
    list of tags is empty shows background only. Masks are found by the image's name.

    Args:
        ann_file (str): The CSV or JSON file, relative to ``data_root``.
        metainfo (Mapping | None): ``classes``, with ``'background'`` first. When None they are the
            tags of ``ann_file``, sorted; name them where a second file might lack one.
        unlisted (str): What an image of the folder that ``ann_file`` does not name is:
            ``'error'``, ``'ignore'`` or ``'background'`` (only).
        list_file (str | None): Names of the images to use, one per line, relative to
            ``data_root``; of the others nothing is read. None uses all.
        data_root (str | None): Folder of the data set.
        **kwargs: Arguments of :class:`TagDataset`.

    Raises:
        FileNotFoundError: A named image, the folder or a file is missing.
        ValueError: A file is not understood, or an image of the folder or list has no entry.
    """

    PREFIX = {'img_path': 'images', 'seg_map_path': 'masks'}  # noqa: RUF012

    def __init__(
        self,
        ann_file: str,
        metainfo: Mapping[str, Any] | None = None,
        unlisted: str = 'error',
        list_file: str | None = None,
        data_root: str | None = None,
        **kwargs: Any,
    ) -> None:
        if unlisted not in _UNLISTED:
            raise ValueError(f'unlisted: expected one of {_UNLISTED}, received {unlisted!r}')
        self.unlisted = unlisted
        self.list_file = None if list_file is None else Path(data_root or '', list_file)
        self._discover = 'classes' not in (metainfo or {})
        if self._discover:
            # The base class needs the classes before it reads the annotations.
            tags = read_tags(Path(data_root or '', ann_file)).values()
            found = sorted({tag for names in tags for tag in names})
            metainfo = {**(metainfo or {}), 'classes': (BACKGROUND, *found)}
        super().__init__(ann_file=ann_file, metainfo=metainfo, data_root=data_root, **kwargs)

    def load_samples(self) -> list[dict[str, Any]]:
        """Lists the images that ``ann_file`` names and, if they count, the others."""
        folder = Path(self.data_prefix['img_path'])
        present = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob('*'))
            if path.suffix.lower() in _SUFFIXES
        }
        listed = self._listed(present)
        if self.list_file is not None:
            present = {name: path for name, path in present.items() if name in listed}
        others = [name for name in present if name not in listed]
        if others and self.unlisted == 'error':
            raise ValueError(
                f'{self.ann_file}: expected tags for every image in {folder}, received none for '
                f'{len(others)}, among them {", ".join(others[:3])}; add them (with no tags for '
                "background only) or set unlisted='ignore' or unlisted='background'"
            )
        if self.unlisted == 'background':
            listed.update({name: [] for name in others})
        return [self._sample(name, present[name], listed[name]) for name in sorted(listed)]

    def _listed(self, present: Mapping[str, Path]) -> dict[str, list[str]]:
        """The tags that ``ann_file`` has, by the image's name in the folder."""
        stems: dict[str, list[str]] = {}
        for name in present:
            stems.setdefault(name[: -len(Path(name).suffix)], []).append(name)
        entries = self._chosen(read_tags(Path(self.ann_file)))
        found: dict[str, str] = {}
        for entry in entries:
            name = self._find(entry, present, stems)
            if name in found:
                raise ValueError(
                    f'{self.ann_file}: expected one entry for the image {name}, received '
                    f'{found[name]} and {entry}; remove one of them'
                )
            found[name] = entry
        return {name: entries[entry] for name, entry in found.items()}

    def _chosen(self, entries: dict[str, list[str]]) -> dict[str, list[str]]:
        """The entries that ``list_file`` names, or all."""
        if self.list_file is None:
            return entries
        self._require_file(str(self.list_file), 'list_file')
        lines = read_text(self.list_file).splitlines()
        names = [line.strip() for line in lines if line.strip()]
        missing = [name for name in names if name not in entries]
        if missing:
            raise ValueError(
                f'{self.list_file}: expected names that {self.ann_file} has tags for, received '
                f'{len(missing)} others, among them {", ".join(missing[:3])}; correct the list or '
                'add their tags'
            )
        return {name: entries[name] for name in names}

    def _find(self, entry: str, present: Mapping[str, Path], stems: Mapping[str, list[str]]) -> str:
        if entry in present:
            return entry
        matches = stems.get(entry, [])
        if len(matches) == 1:
            return matches[0]
        folder = self.data_prefix['img_path']
        if matches:
            raise ValueError(
                f'{self.ann_file}: expected one image named {entry} in {folder}, received '
                f'{", ".join(matches)}; add the suffix to the name'
            )
        raise FileNotFoundError(
            f'{self.ann_file}: expected an image named {entry} in {folder}, found none; add the '
            'image or remove its entry'
        )

    def _sample(self, name: str, path: Path, tags: list[str]) -> dict[str, Any]:
        stem = name[: -len(path.suffix)]
        mask = Path(self.data_prefix['seg_map_path'], stem + self.seg_map_suffix)
        return {
            'name': stem,
            'img_path': str(path),
            'seg_map_path': str(mask),
            'tags': tags,
            'source': self.ann_file,
        }


def read_tags(path: Path) -> dict[str, list[str]]:
    """Reads a CSV or JSON file of tags.

    Args:
        path (Path): The file; the suffix tells the format.

    Returns:
        dict[str, list[str]]: Tags of every named image.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The content is not understood.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"ann_file: expected a file at '{path}', found none; check data_root and ann_file"
        )
    readers = {'.json': _read_json, '.csv': _read_csv}
    if path.suffix.lower() not in readers:
        raise ValueError(f'{path}: expected a file of tags ending in .csv or .json')
    tags = readers[path.suffix.lower()](path)
    for image, names in tags.items():
        _require_foreground(path, names, f'for image {image}')
    return tags


def _require_foreground(path: Path, tags: Iterable[str], where: str) -> None:
    for tag in tags:
        if tag.lower() == BACKGROUND:
            raise ValueError(
                f'{path}: expected tags of the foreground only, received {tag!r} {where}; remove '
                'it, an image of background has an empty list of tags'
            )


def _read_json(path: Path) -> dict[str, list[str]]:
    content = read_json(path)
    if isinstance(content, dict) and isinstance(content.get('labels'), dict):
        content = _names_of_labels(path, content)
    valid = isinstance(content, dict) and all(
        isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)
        for tags in content.values()
    )
    if not valid:
        raise ValueError(
            f'{path}: expected an object {{"image": ["tag", ...], ...}}, received another structure'
        )
    return content


def _names_of_labels(path: Path, content: dict[str, Any]) -> dict[str, list[str]]:
    classes = content.get('classes')
    if not isinstance(classes, list) or classes[:1] != [BACKGROUND]:
        raise ValueError(
            f"{path}: expected a list 'classes' that begins with '{BACKGROUND}' beside 'labels', "
            f'received {classes!r}'
        )
    foreground = range(1, len(classes))
    for image, labels in content['labels'].items():
        if not isinstance(labels, list) or not all(label in foreground for label in labels):
            raise ValueError(
                f'{path}: expected labels from 1 to {len(classes) - 1} for image {image}, received '
                f'{labels!r}'
            )
    return {
        image: [classes[label] for label in labels] for image, labels in content['labels'].items()
    }


def _read_csv(path: Path) -> dict[str, list[str]]:
    reader = csv.reader(io.StringIO(read_text(path), newline=''))
    rows = [[cell.strip() for cell in row] for row in reader if any(row)]
    if not rows or len(rows[0]) < 2 or rows[0][0].lower() not in ('image', 'filename', 'name'):
        received = ','.join(rows[0]) if rows else 'an empty file'
        raise ValueError(
            f"{path}: expected a header 'image,tags' or 'image,<class>,<class>,...', "
            f'received {received!r}'
        )
    header = rows[0]
    _require_foreground(path, header[1:], 'as a column')
    tags: dict[str, list[str]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise ValueError(
                f'{path}: expected {len(header)} columns in row {number}, received {len(row)}; '
                "separate several tags by ';'"
            )
        if row[0] in tags:
            raise ValueError(f'{path}: expected one row per image, received {row[0]} twice')
        tags[row[0]] = _row_tags(path, header, row)
    return tags


def _row_tags(path: Path, header: list[str], row: list[str]) -> list[str]:
    if [name.lower() for name in header[1:]] == ['tags']:
        return [tag.strip() for tag in row[1].split(';') if tag.strip()]
    flags = row[1:]
    if not set(flags) <= {'0', '1'}:
        raise ValueError(
            f'{path}: expected 0 or 1 in every column of image {row[0]}, received {",".join(flags)}'
        )
    return [name for name, flag in zip(header[1:], flags, strict=True) if flag == '1']
