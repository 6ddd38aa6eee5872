"""What a training has left in its work folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmengine.config import Config

from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.run_identity import latest_checkpoint, read_run
from wsss_plugin.engine.training_start import TrainingStart
from wsss_plugin.errors import DamagedFileError, MissingFileError


class RunFolder:
    """Starts, curves, config, checkpoint and JSON files of a work folder.

    Args:
        path: The work folder of a training.

    Raises:
        MissingFileError: If there is no such folder, or no training has begun in it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        starts = [TrainingStart(folder) for folder in sorted(self.path.glob('*/vis_data'))]
        begun = [start for start in starts if start.is_training]
        if not begun:
            raise MissingFileError(
                f'expected the work folder of a training, with <time>/vis_data/scalars.json, '
                f'received {self.path}; give the --work-dir of tools/train.py'
            )
        run = read_run(self.path).get('run')
        own = [start for start in begun if start.run in (None, run)]
        self.starts = own or begun

    def rows(self) -> list[dict[str, Any]]:
        """What was logged in training, joined over all starts.

        Where a start repeats iterations of an earlier one, the later one counts.

        Returns:
            A mapping of numbers by name with ``iter``, in the order of iterations.
        """
        return self._joined('training_rows')

    def validation_rows(self) -> list[dict[str, Any]]:
        """Scores of validations, joined over all starts as :meth:`rows`.

        Returns:
            A mapping of numbers by name with ``iter``, in the order of iterations.
        """
        return self._joined('validation_rows')

    def _joined(self, kind: str) -> list[dict[str, Any]]:
        joined: list[dict[str, Any]] = []
        for start in self.starts:
            begins = start.iteration
            joined = [row for row in joined if begins is None or row['iter'] <= begins]
            joined += getattr(start, kind)
        by_iteration = {row['iter']: row for row in joined}
        return [by_iteration[iteration] for iteration in sorted(by_iteration)]

    def config_file(self) -> Path:
        """The config as the latest start used it.

        Returns:
            The file.

        Raises:
            MissingFileError: If there is none.
        """
        for start in reversed(self.starts):
            file = start.folder / 'config.py'
            if file.is_file():
                return file
        files = sorted(self.path.glob('*.py'), key=lambda file: file.stat().st_mtime)
        if not files:
            raise MissingFileError(
                f'expected the config of the training in {self.path}, found none; copy it there'
            )
        return files[-1]

    def config(self) -> Config:
        """The config, read from :meth:`config_file`.

        Returns:
            The config with this folder as its work folder.
        """
        return load_config(str(self.config_file()), str(self.path))

    def checkpoint(self) -> Path | None:
        """The latest complete checkpoint.

        Returns:
            The file, None if there is none.
        """
        found, _ = latest_checkpoint(self.path)
        return None if found is None else found.path

    def read_json(self, name: str) -> Any:
        """Reads a JSON file of the folder.

        Args:
            name: Its name.

        Returns:
            The content, None if there is no such file.

        Raises:
            DamagedFileError: If it is no JSON.
        """
        file = self.path / name
        if not file.is_file():
            return None
        try:
            return json.loads(file.read_text(encoding='utf-8'))
        except (ValueError, RecursionError) as error:
            raise DamagedFileError(
                f'expected JSON in {file}, received other text ({error}); make it again or '
                'remove it'
            ) from error
