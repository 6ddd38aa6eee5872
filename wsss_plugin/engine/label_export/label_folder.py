"""The folder that label maps are written into."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
from torch import Tensor

import wsss_plugin
from wsss_plugin.datasets.label_manifest import MANIFEST_FILE, LabelManifest
from wsss_plugin.datasets.spread_indices import spread_indices
from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.engine.label_export.label_files import LabelFiles
from wsss_plugin.engine.label_export.loaded_items import LoadedItems
from wsss_plugin.errors import ConfigError, ExistingFileError, received
from wsss_plugin.evaluation.crf_work import CRFWork
from wsss_plugin.evaluation.worker_pool import WorkerPool
from wsss_plugin.evaluation.writer_thread import WriterThread
from wsss_plugin.whole_file import remove_parts, write_json

SETTINGS_FILE = 'settings.json'
_SMALLEST_FILE = 4096  # blocks of a disk
_MEASURED = 16
_MEGABYTE = 1e6


class LabelFolder:
    """Writes one file for each image, such as its label map, and at last a manifest of them.

    The same call again goes on with the images that are missing. Several processes share the
    images that are missing; on several machines the folder is one that all of them see.

    Args:
        folder: The folder.
        images: The images, such as ``ListedImages``.
        label: Gives the label map (H, W) of an item of them, what else ``files`` writes, or
            ``CRFWork`` that gives it.
        settings: What the labels depend on, by ``export_settings``.
        ignore_index: Value with which ``label`` marks pixels without label; they are written as
            ``settings['ignore']``.
        files: What is written; label maps if None.
        workers: Processes for work that needs no network, 0 for none beside this one.
        loaders: Processes that load images, 0 for none beside this one.
        batch_size: Images that are labelled together, where ``label`` has a method ``many``, which
            gives a list for a list of items.

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
        files: Any = None,
        workers: int = 0,
        loaders: int = 0,
        batch_size: int = 1,
    ) -> None:
        self.folder = Path(folder)
        self.images = images
        self.settings = dict(settings)
        self.ignore = self.settings['ignore']
        self.files = files or LabelFiles(images.palette, self.ignore, ignore_index)
        self._label = label
        self._workers = workers
        self._loaders = loaders
        self._batch_size = batch_size if hasattr(label, 'many') else 1
        self._tally = np.zeros(2, dtype=np.int64)
        self._writer = WriterThread()
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
        missing = self._look()
        _on_first(lambda: self._announce(missing))
        self._make(missing[get_rank() :: get_world_size()])
        sums = np.sum(all_gather_object(self._tally), axis=0)
        _on_first(lambda: self._finish(sums))
        return LabelManifest.read(self.folder, self.files.kind)

    def _make(self, names: Sequence[str]) -> None:
        pool = WorkerPool(self._workers) if self._workers else None
        try:
            self._make_all(names, pool)
            if pool is not None:
                pool.drain()
            self._writer.drain()
        finally:
            if pool is not None:
                pool.close()
            # What is labelled is written, also after an error or Ctrl-C.
            self._writer.close()

    def _make_all(self, names: Sequence[str], pool: WorkerPool | None) -> None:
        items = iter(LoadedItems(self.images, names, self._loaders))
        waiting: dict[str, Any] = {}
        for name in self._shown(names):
            waiting[name] = next(items)
            if len(waiting) == self._batch_size:
                self._make_some(waiting, pool)
                waiting.clear()
        if waiting:
            self._make_some(waiting, pool)

    def _make_some(self, items: Mapping[str, Any], pool: WorkerPool | None) -> None:
        if len(items) == 1:
            found = map(self._label, items.values())
        else:
            found = self._label.many(list(items.values()))  # type: ignore[attr-defined]
        for name, made in zip(items, found, strict=True):
            if isinstance(made, CRFWork):
                made.start(pool, partial(self._take, name))
            else:
                self._take(name, made.cpu().numpy() if isinstance(made, Tensor) else made)

    def _take(self, name: str, made: Any) -> None:
        self._writer.run(self._write, self.files.path(self.folder, name), made)

    def _write(self, path: Path, made: Any) -> None:
        self._tally += self.files.write(path, made)

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
        for folder in {self.files.path(self.folder, name).parent for name in self.images.names}:
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

    def _look(self) -> list[str]:
        """The images without a file; those with one are counted."""
        own = self.images.names[get_rank() :: get_world_size()]
        tallies = {name: self.files.tally(self.files.path(self.folder, name)) for name in own}
        there = [tally for tally in tallies.values() if tally is not None]
        self._tally = np.sum([(0, 0), *there], axis=0, dtype=np.int64)
        absent = {name for name, tally in tallies.items() if tally is None}
        absent = set().union(*all_gather_object(absent))
        return [name for name in self.images.names if name in absent]

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
                f'expected room for {sizes[0]} MB of {self.files.kind} in {self.folder}, received '
                f'{sizes[1]} MB; make room or choose another --out'
            )

    def _estimate(self, missing: Sequence[str]) -> float:
        sizes = []
        for index in spread_indices(len(missing), _MEASURED):
            with Image.open(self.images.path(missing[index])) as image:
                sizes.append(
                    image.width * image.height * self.files.bytes_per_pixel + _SMALLEST_FILE
                )
        return len(missing) * sum(sizes) / len(sizes)

    @staticmethod
    def _shown(names: Sequence[str]) -> Any:
        # A line of progress, with the time that is left, for all.
        return track_iter_progress(names, file=sys.stdout) if is_main_process() and names else names

    def _finish(self, tally: Sequence[int]) -> None:
        content = {
            'version': wsss_plugin.__version__,
            **self.settings,
            **self.files.summary(tally),
            'images': list(self.images.names),
        }
        LabelManifest.write(self.folder, content, self.files.kind)


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
