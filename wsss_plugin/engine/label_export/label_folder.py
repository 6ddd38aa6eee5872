"""The folder that label maps are written into."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import (
    all_gather_object,
    broadcast_object_list,
    get_rank,
    get_world_size,
    is_main_process,
)
from mmengine.utils import track_iter_progress
from PIL import Image

import wsss_plugin
from wsss_plugin.datasets.label_manifest import MANIFEST_FILE, LabelManifest, label_path
from wsss_plugin.datasets.spread_indices import spread_indices
from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.errors import ConfigError, ExistingFileError, received
from wsss_plugin.evaluation.label_png import save_label_png
from wsss_plugin.whole_file import remove_parts, write_json

SETTINGS_FILE = 'settings.json'
# More than label maps of photographs take, also where they are frayed; and blocks of a disk.
_BYTES_PER_PIXEL = 0.1
_SMALLEST_FILE = 4096
_MEASURED = 16
_MEGABYTE = 1e6


class LabelFolder:
    """Writes one label map for each image, and at last a manifest of them.

    The same call again goes on with the images that are missing. Several processes share the
    images that are missing; on several machines the folder is one that all of them see.

    Args:
        folder: The folder.
        images: The images, such as ``ListedImages``.
        label: Gives the label map (H, W) of an item of them.
        settings: What the labels depend on, by ``export_settings``.
        ignore_index: Value with which ``label`` marks pixels without label; they are written as
            ``settings['ignore']``.

    Raises:
        ConfigError: If the value for pixels without label is that of a class or beyond 255.
    """

    def __init__(
        self,
        folder: str | Path,
        images: Any,
        label: Callable[[Mapping[str, Any]], Any],
        settings: Mapping[str, Any],
        ignore_index: int = 255,
    ) -> None:
        self.folder = Path(folder)
        self.images = images
        self.settings = dict(settings)
        self.ignore = self.settings['ignore']
        self._label = label
        self._ignore_index = ignore_index
        classes = len(images.classes)
        if not classes <= self.ignore <= 255:
            raise ConfigError(
                f'expected --ignore from {classes}, the first number that is no class, to 255, '
                f'received {self.ignore}'
            )

    def write(self) -> LabelManifest:
        """Labels the images that have no label yet.

        Returns:
            The manifest.

        Raises:
            ExistingFileError: If the folder is of an export with other settings, or of none.
            OSError: If the disk has not enough room.
        """
        _on_first(self._prepare)
        ignored, pixels, missing = self._look()
        _on_first(lambda: self._announce(missing))
        for name in self._mine(missing):
            found = self._write_one(name)
            ignored, pixels = ignored + found[0], pixels + found[1]
        sums = np.sum(all_gather_object((ignored, pixels)), axis=0)
        _on_first(lambda: self._finish(*sums))
        return LabelManifest.read(self.folder)

    def _prepare(self) -> None:
        """Makes the folder, or finds it as the same call left it."""
        path = self.folder / SETTINGS_FILE
        if path.is_file():
            self._require_same(read_json(path), path)
        elif self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ExistingFileError(
                f'{self.folder}: expected a new or empty folder for labels, or one of the same '
                'export, received one with other files; choose another --out'
            )
        else:
            write_json(path, self.settings)
        for folder in {label_path(self.folder, name).parent for name in self.images.names}:
            remove_parts(folder)

    def _require_same(self, before: Any, path: Path) -> None:
        before = before if isinstance(before, Mapping) else {}
        for key, value in self.settings.items():
            if before.get(key) != value:
                raise ExistingFileError(
                    f'{path}: expected the settings of this export, received another {key}: '
                    f'{received(before.get(key))} instead of {received(value)}; choose another '
                    '--out, or remove the folder'
                )

    def _look(self) -> tuple[int, int, list[str]]:
        """Ignored pixels, pixels, and the images without a label, of those that are there."""
        own = self.images.names[get_rank() :: get_world_size()]
        counts = {name: self._read(label_path(self.folder, name)) for name in own}
        there = [count for count in counts.values() if count is not None]
        absent = {name for name, count in counts.items() if count is None}
        absent = set().union(*all_gather_object(absent))
        ignored, pixels = (sum(count[i] for count in there) for i in range(2))
        return ignored, pixels, [name for name in self.images.names if name in absent]

    def _read(self, path: Path) -> tuple[int, int] | None:
        """Ignored pixels and pixels of a label, None for a missing or damaged file."""
        try:
            with Image.open(path) as image:
                return self._count(np.asarray(image))
        except (OSError, SyntaxError, ValueError):
            return None

    def _count(self, label: np.ndarray) -> tuple[int, int]:
        return int((label == self.ignore).sum()), label.size

    def _announce(self, missing: Sequence[str]) -> None:
        done = len(self.images) - len(missing)
        print(f'{len(missing)} images to label, {done} are done, in {self.folder}')
        if not missing:
            return
        (self.folder / MANIFEST_FILE).unlink(missing_ok=True)
        need, free = self._estimate(missing), shutil.disk_usage(self.folder).free
        sizes = [math.ceil(size / _MEGABYTE) for size in (need, free)]
        print(f'they take {sizes[0]} MB at most, of {sizes[1]} MB that are free')
        if need > free:
            raise OSError(
                f'expected room for {sizes[0]} MB of labels in {self.folder}, received '
                f'{sizes[1]} MB; make room or choose another --out'
            )

    def _estimate(self, missing: Sequence[str]) -> float:
        sizes = []
        for index in spread_indices(len(missing), _MEASURED):
            with Image.open(self.images.path(missing[index])) as image:
                sizes.append(image.width * image.height * _BYTES_PER_PIXEL + _SMALLEST_FILE)
        return len(missing) * sum(sizes) / len(sizes)

    def _mine(self, missing: Sequence[str]) -> Any:
        own = missing[get_rank() :: get_world_size()]
        # A line of progress, with the time that is left, for all.
        return track_iter_progress(own, file=sys.stdout) if is_main_process() and own else own

    def _write_one(self, name: str) -> tuple[int, int]:
        label = np.array(self._label(self.images.item(name)).cpu())
        label[label == self._ignore_index] = self.ignore
        save_label_png(label_path(self.folder, name), label, self.images.palette)
        return self._count(label)

    def _finish(self, ignored: int, pixels: int) -> None:
        LabelManifest.write(
            self.folder,
            {
                'version': wsss_plugin.__version__,
                **self.settings,
                'ignored_share': int(ignored) / max(int(pixels), 1),
                'images': list(self.images.names),
            },
        )


def _on_first(action: Callable[[], None]) -> None:
    """Runs something in the first process; an error of it is raised in all of them."""
    result: list[Exception | None] = [None]
    if is_main_process():
        try:
            action()
        except Exception as error:
            result = [error]
    broadcast_object_list(result)
    if result[0] is not None:
        raise result[0]
