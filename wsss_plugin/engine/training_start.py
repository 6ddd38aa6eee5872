"""One start of a training, which has a folder of its own in the work folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

START_FILE = 'start.json'


class TrainingStart:
    """What one start of a training has logged.

    Args:
        folder: Its ``vis_data``, in which MMEngine writes ``scalars.json``.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @property
    def is_training(self) -> bool:
        """Whether a training has begun; tests have folders of the same kind."""
        return bool(self.noted) or bool(self.training_rows)

    @cached_property
    def noted(self) -> dict[str, Any]:
        """What the start noted of itself, empty where it noted nothing."""
        with suppress(OSError, ValueError, RecursionError):
            content = json.loads((self.folder / START_FILE).read_text(encoding='utf-8'))
            return content if isinstance(content, dict) else {}
        return {}

    @property
    def run(self) -> str | None:
        """Name of the run, None where it is not known."""
        name = self.noted.get('run')
        return name if isinstance(name, str) else None

    @property
    def iteration(self) -> int | None:
        """Iterations that were trained before it; None where it logged nothing."""
        noted = self.noted.get('iteration')
        if isinstance(noted, int):
            return noted
        return self.training_rows[0]['iter'] - 1 if self.training_rows else None

    @cached_property
    def training_rows(self) -> list[dict[str, Any]]:
        """Numbers by name for each logged iteration ``iter``."""
        return [row for row in self._rows() if isinstance(row.get('iter'), int)]

    @cached_property
    def validation_rows(self) -> list[dict[str, Any]]:
        """Scores by name for each validation, with the iteration as ``iter``."""
        return [
            {**row, 'iter': row['step']}
            for row in self._rows()
            if 'iter' not in row and isinstance(row.get('step'), int)
        ]

    def _rows(self) -> Iterator[dict[str, Any]]:
        file = self.folder / 'scalars.json'
        lines = file.read_text(encoding='utf-8').splitlines() if file.is_file() else []
        for line in lines:
            # A kill may have cut the last one short.
            with suppress(ValueError):
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row
