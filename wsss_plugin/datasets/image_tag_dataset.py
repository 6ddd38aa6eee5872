"""A folder of images and one file of tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmseg.registry import DATASETS

from wsss_plugin.datasets.file_names import relative_name
from wsss_plugin.datasets.image_files import find_images, why_not_found
from wsss_plugin.datasets.tag_dataset import TagDataset
from wsss_plugin.datasets.tag_file import TagFile
from wsss_plugin.datasets.text_files import read_lines
from wsss_plugin.errors import ConfigError, DataError, MissingFileError, cut, listed, received

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
    list of tags is empty shows background only. Masks are found by the image's name; those of a
    label map have its numbers. Hidden files and folders are left out.

    Args:
        ann_file (str): The CSV or JSON file, relative to ``data_root``.
        metainfo (Mapping | None): ``classes``, with ``'background'`` first. When None they are
            those of a label map, in its order, and otherwise the tags or columns of ``ann_file``,
            sorted; name them where a second file might lack one.
        unlisted (str): What an image of the folder that ``ann_file`` does not name is:
            ``'error'``, ``'ignore'`` or ``'background'`` (only).
        list_file (str | None): Names of the images to use, one per line, relative to
            ``data_root``; of the others nothing is read. None uses all.
        data_root (str | None): Folder of the data set.
        **kwargs: Arguments of :class:`TagDataset`.

    Raises:
        MissingFileError: A named image, the folder or a file is missing.
        DataError: A file is not understood, or an image of the folder or list has no entry.
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
            raise ConfigError(
                f'unlisted: expected one of {_UNLISTED}, received {received(unlisted)}'
            )
        self.unlisted = unlisted
        self.list_file = None if list_file is None else Path(data_root or '', list_file)
        # The base class needs the classes before it reads the annotations.
        path = Path(data_root or '', ann_file)
        self._require_data_root(data_root)
        discover = 'classes' not in (metainfo or {})
        self._file = TagFile.read(path) if discover or path.is_file() else None
        self._own_classes = self._file and self._file.classes
        if discover and self._file:
            metainfo = {**(metainfo or {}), 'classes': self._file.found_classes(path)}
        super().__init__(ann_file=ann_file, metainfo=metainfo, data_root=data_root, **kwargs)

    def _usual_mask_names(self, classes: Sequence[str]) -> Sequence[str]:
        return self._own_classes or super()._usual_mask_names(classes)

    def load_samples(self) -> list[dict[str, Any]]:
        """Lists the images that ``ann_file`` names and, if they count, the others."""
        present = find_images(Path(self.data_prefix['img_path']))
        tags = self._listed(present)
        if self.list_file is not None:
            present = {name: path for name, path in present.items() if name in tags}
        others = [name for name in present if name not in tags]
        if others and self.unlisted == 'error':
            raise DataError(
                f'{self.ann_file}: expected tags for every image in '
                f'{self.data_prefix["img_path"]}, received none for {len(others)}, among them '
                f'{listed(others[:3])}; add them (with no tags for '
                "background only) or set unlisted='ignore' or unlisted='background'"
            )
        if self.unlisted == 'background':
            tags.update({name: [] for name in others})
        return [self._sample(name, present[name], tags[name]) for name in sorted(tags)]

    def _listed(self, present: Mapping[str, Path]) -> dict[str, list[str]]:
        """The tags that ``ann_file`` has, by the image's name in the folder."""
        stems: dict[str, list[str]] = {}
        for name in present:
            stems.setdefault(name.removesuffix(Path(name).suffix), []).append(name)
        # Worker processes need not copy the file.
        file, self._file = self._file or TagFile.read(Path(self.ann_file)), None
        entries = self._chosen(file.tags)
        found: dict[str, str] = {}
        for entry in entries:
            name = self._find(entry, present, stems)
            if name in found:
                raise DataError(
                    f'{self.ann_file}: expected one entry for the image {cut(name)}, received '
                    f'{cut(found[name])} and {cut(entry)}; remove one of them'
                )
            found[name] = entry
        return {name: entries[entry] for name, entry in found.items()}

    def _chosen(self, entries: dict[str, list[str]]) -> dict[str, list[str]]:
        """The entries that ``list_file`` names, or all."""
        if self.list_file is None:
            return entries
        self._require_file(str(self.list_file), 'list_file')
        names = read_lines(self.list_file)
        missing = [name for name in names if name not in entries]
        if missing:
            raise DataError(
                f'{self.list_file}: expected names that {self.ann_file} has tags for, received '
                f'{len(missing)} others, among them {listed(missing[:3])}; correct the list or '
                'add their tags'
            )
        return {name: entries[name] for name in names}

    def _find(self, entry: str, present: Mapping[str, Path], stems: Mapping[str, list[str]]) -> str:
        wanted = relative_name(entry, f'{self.ann_file}: entry {received(entry)}')
        if wanted in present:
            return wanted
        matches = stems.get(wanted, [])
        if len(matches) == 1:
            return matches[0]
        folder = self.data_prefix['img_path']
        if matches:
            raise DataError(
                f'{self.ann_file}: expected one image named {cut(entry)} in {folder}, received '
                f'{listed(matches)}; add the suffix to the name'
            )
        raise MissingFileError(
            f'{self.ann_file}: expected an image named {cut(entry)} in {folder}, '
            f'{why_not_found(Path(folder), wanted)}'
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
            'entry': f'image {name}',
        }
