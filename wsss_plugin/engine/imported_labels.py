"""Label maps from the JSON of an annotation tool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from pycocotools import mask as coco_mask
from torch import Tensor

from wsss_plugin.datasets.coco_file import load_coco, require_keys, require_sizes
from wsss_plugin.datasets.coco_masks import draw_mask, encode_shape, is_drawable
from wsss_plugin.datasets.name_list import chosen_names
from wsss_plugin.errors import ConfigError, DataError, MissingFileError, listed, received

Annotations = list[dict[str, Any]]


class ImportedLabels:
    """Images of a data set that an instances JSON of COCO outlines, and their label maps.

    Areas are drawn from large to small, so that the smaller of two that overlap is kept, and of two
    of one size the later in the file. The undecided is an area as others. What no area covers is
    background. ``iscrowd`` and ``area`` of the file are not read: tools write them by other rules.

    Args:
        path: The JSON, with polygons and run lengths.
        images: Images of the data set, such as ``ListedImages``; those of the JSON are among them.
        undecided: Name of the category for pixels without a class, None for none.
        list_file: Names of the images to take, one per line, with or without suffix; None for all.
        strip: Regular expression for what the names of the JSON have before those of the data set.
        empty: Whether an image without areas is background; otherwise it is left out, since a tool
            also lists what nobody has looked at.
        ignore: Value of the undecided.

    Attributes:
        names: Names of the images that are taken, in the order of the data set.
        left_out: Names of those without areas that are not.
        classes: Names of the classes, the background first.
        palette: Their colours.

    Raises:
        ConfigError: If the name of the undecided is that of a class, or ``strip`` is none.
        MissingFileError: If a file is missing, or an image of the JSON in the data set.
        DataError: If the JSON is not understood, or has other categories, other sizes, areas that
            cannot be drawn, no area at all, or not all images of the list.
    """

    def __init__(
        self,
        path: str,
        images: Any,
        undecided: str | None = None,
        list_file: str | None = None,
        strip: str = '',
        empty: bool = False,
        ignore: int = 255,
    ) -> None:
        if not Path(path).is_file():
            raise MissingFileError(f'expected a COCO JSON at {path}, found no file')
        self._file, self._images = path, images
        self.classes, self.palette = tuple(images.classes), images.palette
        coco = load_coco(path)
        entries = self._named(coco.imgs, strip)
        if list_file is not None:
            entries = {name: entries[name] for name in chosen_names(list_file, entries, path)}
        self._require_known(entries)
        areas = {name: coco.imgToAnns.get(entry['id'], []) for name, entry in entries.items()}
        self.left_out = tuple(name for name in entries if not (areas[name] or empty))
        taken = entries.keys() - set(self.left_out)
        self.names = tuple(name for name in images.names if name in taken)
        if not self.names:
            raise DataError(f'{path}: expected areas in at least one image, received none')
        self._values = self._numbered(coco.cats, areas, undecided, ignore)
        self._items = {name: (entries[name], areas[name]) for name in self.names}
        self._require_sizes()
        self._require_outlines()

    def __len__(self) -> int:
        return len(self.names)

    def path(self, name: str) -> str:
        """The file of an image.

        Args:
            name: Its name.

        Returns:
            The path.
        """
        return self._images.path(name)

    def item(self, name: str) -> tuple[Mapping[str, Any], Annotations]:
        """What the JSON says of an image.

        Args:
            name: Its name.

        Returns:
            Its entry and its annotations.
        """
        return self._items[name]

    def label(self, item: tuple[Mapping[str, Any], Annotations]) -> Tensor:
        """Draws an image's label map.

        Args:
            item: Entry and annotations.

        Returns:
            Label map (H, W), uint8.
        """
        entry, annotations = item
        height, width = entry['height'], entry['width']
        areas = []
        for one in annotations:
            encoded = encode_shape(one['segmentation'], height, width)
            size = int(coco_mask.area(encoded))
            areas.append({'segmentation': encoded, 'area': size, 'category_id': one['category_id']})
        return torch.from_numpy(draw_mask(height, width, areas, self._values))

    def _named(self, entries: Mapping[Any, dict[str, Any]], strip: str) -> dict[str, Any]:
        """Entries by the names that images have in the data set."""
        try:
            prefix = re.compile(strip)
        except re.error as error:
            raise ConfigError(
                f'expected a regular expression for --strip, received {received(strip)}: {error}'
            ) from error
        named: dict[str, Any] = {}
        for entry in entries.values():
            file = entry['file_name']
            found = prefix.match(file)
            rest = file[found.end() :] if found else file
            name = str(Path(rest or file).with_suffix(''))
            if name in named:
                raise DataError(
                    f'{self._file}: expected one image for every name, received '
                    f'{received(named[name]["file_name"])} and {received(file)} for '
                    f'{received(name)}; correct --strip, or join their annotations'
                )
            named[name] = entry
        return named

    def _require_known(self, entries: Mapping[str, Any]) -> None:
        known = set(self._images.names)
        unknown = [name for name in entries if name not in known]
        if unknown:
            raise MissingFileError(
                f'{self._file}: expected images of the data set, such as '
                f'{next(iter(self._images.names))}, received {len(unknown)} others, among them '
                f'{listed(unknown, 3)}; choose the --split that has them, or take what a tool puts '
                'before their names away by --strip'
            )

    def _numbered(
        self,
        categories: Mapping[int, Mapping[str, Any]],
        areas: Mapping[str, Annotations],
        undecided: str | None,
        ignore: int,
    ) -> dict[int, int]:
        """Value of the label by category; unknown categories that nothing has are left out."""
        values = {name: number for number, name in enumerate(self.classes) if number}
        if undecided in self.classes:
            raise ConfigError(
                f'expected a category beside the classes {listed(self.classes)} for --undecided, '
                f'received {received(undecided)}'
            )
        if undecided is not None:
            values[undecided] = ignore
        used = {area['category_id'] for name in self.names for area in areas[name]}
        unknown = [categories[one]['name'] for one in used if categories[one]['name'] not in values]
        if unknown:
            raise DataError(
                f'{self._file}: expected categories among {listed(values)}, received '
                f'{listed(sorted(unknown))}; rename them as the classes of the config, or name the '
                'one for pixels without a class by --undecided'
            )
        return {one: values[categories[one]['name']] for one in used}

    def _require_sizes(self) -> None:
        require_sizes(self._file, (entry for entry, _ in self._items.values()))
        wrong = []
        for name, (entry, _) in self._items.items():
            with Image.open(self.path(name)) as image:
                size = (image.height, image.width)
            if size != (entry['height'], entry['width']):
                wrong.append(f'{name} {entry["height"]}x{entry["width"]} for {size[0]}x{size[1]}')
        if wrong:
            raise DataError(
                f'{self._file}: expected the sizes of the images of the data set, received '
                f'{len(wrong)} others, among them {listed(wrong, 3)}; annotate these images, not '
                'smaller or turned copies'
            )

    def _require_outlines(self) -> None:
        for entry, areas in self._items.values():
            require_keys(self._file, 'annotation', areas, ('segmentation',))
            height, width = entry['height'], entry['width']
            for annotation in areas:
                if not is_drawable(annotation['segmentation'], height, width):
                    raise DataError(
                        f'{self._file}: expected in annotation {received(annotation["id"])} of '
                        f'{received(entry["file_name"])} polygons of three or more points, or run '
                        f'lengths of {height}x{width} pixels, received '
                        f'{received(annotation["segmentation"])}; draw the outline of the object'
                    )
