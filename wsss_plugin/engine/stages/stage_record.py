"""What is known of a stage that has begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.errors import DataError, received
from wsss_plugin.whole_file import write_json


@dataclass(frozen=True)
class StageRecord:
    """What a stage was begun with, and once it is done what it made.

    Attributes:
        settings: Fingerprint of its config and of the arguments of its tool.
        inputs: Fingerprint of each input by the name that the stage gives it.
        programs: Version and commit of this package that began it, and of others that went on.
        processes: Number of processes that went on with it last.
        output: Fingerprint of its output; empty until it is done.
        run: Name of the training that it is; empty for others.
    """

    settings: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    programs: tuple[str, ...] = ()
    processes: int = 1
    output: str = ''
    run: str = ''

    @classmethod
    def read(cls, path: Path) -> StageRecord | None:
        """Reads a record.

        Args:
            path: Its file.

        Returns:
            The record, None if the file does not exist.

        Raises:
            DataError: If the file holds something else.
        """
        if not path.is_file():
            return None
        content: Any = read_json(path)
        try:
            return cls(**{**content, 'programs': tuple(content['programs'])})
        except (KeyError, TypeError) as error:
            raise DataError(
                f'{path}: expected the record of a stage, received {received(content)}; remove '
                'the file, and the stage is run again'
            ) from error

    def write(self, path: Path) -> None:
        """Writes the record, whole or not at all.

        Args:
            path: Its file; the folder is made.
        """
        write_json(path, asdict(self))

    def difference(self, settings: str, inputs: Mapping[str, str]) -> str:
        """What distinguishes it from the present settings.

        Args:
            settings: The present fingerprint of the settings.
            inputs: Those of the inputs.

        Returns:
            'settings' or the input that differs; empty if nothing does.

        >>> StageRecord('a', {'label_dir': 'b'}).difference('a', {'label_dir': 'c'})
        'input label_dir'
        """
        if self.settings != settings:
            return 'settings'
        names = sorted({*self.inputs, *inputs})
        changed = [name for name in names if self.inputs.get(name) != inputs.get(name)]
        return f'input {changed[0]}' if changed else ''
