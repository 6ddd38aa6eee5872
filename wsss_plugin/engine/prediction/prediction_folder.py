"""The folder that predictions are written into."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.utils import ProgressBar
from PIL import Image

import wsss_plugin
from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.datasets.transforms.band_picture import as_rgb
from wsss_plugin.engine.large_images import window_hint
from wsss_plugin.engine.prediction.image_predictor import ImagePredictor
from wsss_plugin.engine.prediction.prediction_inputs import PredictionInputs, Read
from wsss_plugin.errors import (
    DamagedFileError,
    DataError,
    ExistingFileError,
    MissingFileError,
    received,
)
from wsss_plugin.evaluation.label_png import save_label_png
from wsss_plugin.visualization.class_overlay import class_overlay
from wsss_plugin.whole_file import remove_parts, whole_file, write_json

RESULTS_FILE = 'results.json'
_QUALITY = 90
_SECONDS = 30  # between two writings of the results, of which each writes all
_FAULTS_OF_IMAGES = (DamagedFileError, DataError, MissingFileError)


class PredictionFolder:
    """Writes ``masks/NAME.png`` and ``overlays/NAME.jpg`` of each image, and ``results.json``.

    An image that cannot be read or predicted is named and passed over.

    Args:
        folder: The folder.
        predictor: Predicts an image.
        settings: What else the predictions depend on, such as config and checkpoint, for JSON.
        resume: Whether images that are done in the folder are left as they are.

    Raises:
        ExistingFileError: If the folder is not empty, or of other settings with ``resume``.
    """

    def __init__(
        self,
        folder: str | Path,
        predictor: ImagePredictor,
        settings: Mapping[str, Any] | None = None,
        resume: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self._predictor = predictor
        self._settings = {**(settings or {}), **predictor.method}
        self.images: dict[str, Any] = {}
        self.failed: dict[str, str] = {}
        self._written = time.monotonic()
        self._hinted = self._settings['window'] is not None
        self._prepare(resume)

    def write(self, inputs: PredictionInputs) -> None:
        """Predicts all images that are not done; ``images`` and ``failed`` then tell of each.

        Args:
            inputs: The images.
        """
        progress = ProgressBar(len(inputs), file=sys.stdout)
        try:
            for name, read in inputs:
                if not self._is_done(name):
                    self._write_one(name, read, str(inputs.path))
                progress.update()
        except DamagedFileError as error:
            # Of a video, of which the frames so far are there.
            self._fail(inputs.path.name, error)
        finally:
            self._save()
        print(flush=True)

    def _write_one(self, name: str, read: Read, path: str) -> None:
        self.failed.pop(name, None)
        try:
            image = read()
            self._hint(name, image)
            prediction = self._predictor(image, f'{path}: {name}')
        except _FAULTS_OF_IMAGES as error:
            self._fail(name, error)
            return
        save_label_png(self._mask(name), prediction.label, self._predictor.palette)
        self._save_overlay(name, image, prediction.label)
        self.images[name] = prediction.summary(self._predictor.classes)
        if time.monotonic() - self._written > _SECONDS:
            self._save()

    def _hint(self, name: str, image: np.ndarray) -> None:
        """Says once that there are windows for large images."""
        hint = None if self._hinted else window_hint(name, *image.shape[:2])
        if hint is not None:
            self._hinted = True
            print(f'\n{hint}', flush=True)

    def _fail(self, name: str, error: Exception) -> None:
        self.failed[name] = str(error)
        print(f'\nskipped {name}: {error}', flush=True)

    def _save_overlay(self, name: str, image: np.ndarray, label: np.ndarray) -> None:
        shown = as_rgb(image)
        picture = class_overlay(shown, label, self._predictor.classes, self._predictor.palette)
        with whole_file(self._overlay(name)) as file:
            Image.fromarray(picture).save(file, format='JPEG', quality=_QUALITY)

    def _mask(self, name: str) -> Path:
        return self.folder / 'masks' / f'{name}.png'

    def _overlay(self, name: str) -> Path:
        return self.folder / 'overlays' / f'{name}.jpg'

    def _is_done(self, name: str) -> bool:
        return name in self.images and self._mask(name).is_file() and self._overlay(name).is_file()

    def _prepare(self, resume: bool) -> None:
        results = self.folder / RESULTS_FILE
        if resume and results.is_file():
            self._take_over(read_json(results))
            for folder in {self.folder, *self.folder.glob('**/')}:
                remove_parts(folder)
        elif self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ExistingFileError(
                f'{self.folder}: expected a new or empty folder for predictions, received one with '
                'files; choose another --out, or go on by --resume in one of the same command'
            )
        self._save()

    def _take_over(self, before: Any) -> None:
        before = before if isinstance(before, Mapping) else {}
        settings = before.get('settings') or {}
        for key, value in self._settings.items():
            if settings.get(key) != value:
                raise ExistingFileError(
                    f'{self.folder / RESULTS_FILE}: expected predictions of the same settings for '
                    f'--resume, received another {key}: {received(settings.get(key))} instead of '
                    f'{received(value)}; choose another --out'
                )
        self.images = dict(before.get('images') or {})

    def _save(self) -> None:
        content = {
            'version': wsss_plugin.__version__,
            'settings': self._settings,
            'classes': list(self._predictor.classes),
            'images': self.images,
            'failed': self.failed,
        }
        write_json(self.folder / RESULTS_FILE, content)
        self._written = time.monotonic()
