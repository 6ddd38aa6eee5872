"""What all stages are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mmengine.config import Config

from wsss_plugin.engine.config_reading.read_config import read_config
from wsss_plugin.engine.fingerprints import (
    file_fingerprint,
    folder_fingerprint,
    settings_fingerprint,
    values_fingerprint,
)
from wsss_plugin.engine.stages.tool_call import ToolCall
from wsss_plugin.errors import ConfigError, MissingFileError, listed, received


@dataclass(frozen=True)
class StagePlace:
    """Where a stage stands.

    Attributes:
        work_dir: Folder of all stages.
        configs: Folder of the file that lists them, from which paths of configs count.
        earlier: The stages before this one by name.
    """

    work_dir: Path
    configs: Path
    earlier: Mapping[str, Stage]


class Stage(ABC):
    """A tool with its config, its inputs and one output.

    Args:
        name: Name of the stage, and of its folder.
        given: What the config says of it.
        place: Where it stands.

    Attributes:
        folder: What the tool writes is in it.
        makes: What its output is, in words.
        inputs: Earlier stages, or files and folders of others, by the names of the inputs.

    Raises:
        ConfigError: If a key is unknown, or an input is no earlier stage and no path.
    """

    KIND: ClassVar[str]
    MAKES: ClassVar[str]
    KEYS: ClassVar[tuple[str, ...]]
    READS: ClassVar[tuple[str, ...]]

    def __init__(self, name: str, given: Mapping[str, Any], place: StagePlace) -> None:
        self.name = name
        self.given = dict(given)
        self.place = place
        self.folder = place.work_dir / name
        self.makes = self.MAKES
        known = sorted({self.KIND, 'inputs', 'options', 'cfg_options', *self.KEYS})
        if unknown := sorted(set(given) - set(known)):
            raise ConfigError(
                f'{self.key(unknown[0])}: expected one of {listed(known)}, received '
                f'{received(unknown[0])}; arguments of the tool stand in options, values of its '
                'config in cfg_options'
            )
        inputs, _, _ = (self.values(key) for key in ('inputs', 'options', 'cfg_options'))
        self.inputs: dict[str, Stage | Path] = {
            key: self.source(f'inputs.{key}', value) for key, value in inputs.items()
        }

    @abstractmethod
    def config(self, placed: bool = True) -> Config:
        """The config of the tool.

        Args:
            placed: Whether inputs that stand in it have their paths; otherwise they are None.

        Returns:
            The config with all that it inherits.
        """

    @property
    @abstractmethod
    def output(self) -> Path:
        """The file or the folder that other stages read."""

    @abstractmethod
    def call(self, config: Path) -> ToolCall:
        """The call that begins the stage or goes on with it.

        Args:
            config: File of its config.

        Returns:
            The call.
        """

    @abstractmethod
    def lacks(self) -> str:
        """What the output lacks, in words; empty if it is complete."""

    @abstractmethod
    def output_fingerprint(self) -> str:
        """Fingerprint of the output, which is complete."""

    @property
    def run(self) -> str:
        """Name of the training that the stage is; empty for others."""
        return ''

    def progress(self) -> str:
        """How far the stage has come, in words; empty if nothing is known."""
        return ''

    def settings(self) -> str:
        """Fingerprint of the config and of the arguments of the tool, wherever files lie."""
        config = settings_fingerprint(self.config(placed=False), self.READS)
        return values_fingerprint([self.KIND, config, self.values('options')])

    def input_fingerprints(self, made: Mapping[str, str]) -> dict[str, str]:
        """Fingerprints of the inputs by their names.

        Args:
            made: Fingerprints of the outputs of stages by name.

        Returns:
            The fingerprints.

        Raises:
            MissingFileError: If a path does not exist.
        """
        return {
            key: made[source.name] if isinstance(source, Stage) else self._of_path(key, source)
            for key, source in self.inputs.items()
        }

    def source(self, key: str, value: Any, makes: tuple[str, ...] = ()) -> Stage | Path:
        """What an input names.

        Args:
            key: Its key in the stage.
            value: Name of an earlier stage, or a path.
            makes: What that stage may make; anything if empty.

        Returns:
            The stage or the path.

        Raises:
            ConfigError: If it is none of them, or makes something else.
        """
        stage = self.place.earlier.get(value) if isinstance(value, str) else None
        if stage is not None and (not makes or stage.makes in makes):
            return stage
        if stage is None and isinstance(value, str) and '/' in value:
            return Path(value)
        wanted = ' or '.join(makes) or 'a file'
        suited = [
            name for name, one in self.place.earlier.items() if not makes or one.makes in makes
        ]
        raise ConfigError(
            f'{self.key(key)}: expected an earlier stage that makes {wanted} (here '
            f'{listed(suited) or "none"}), or a path with a /, received {received(value)}'
        )

    def values(self, key: str) -> dict[str, Any]:
        """Values by name that the config gives the stage at a key, none without it."""
        value = self.given.get(key) or {}
        if not isinstance(value, Mapping):
            raise ConfigError(
                f'{self.key(key)}: expected values by name, such as dict(a=1), received '
                f'{received(value)}'
            )
        return dict(value)

    def key(self, name: str) -> str:
        """The key in the config of something of this stage, for errors."""
        return f'stages.{self.name}.{name}'

    def read_config(self, key: str) -> Config:
        """Reads the config that the stage names, with its ``cfg_options``.

        Args:
            key: Where it is named.

        Returns:
            The config.

        Raises:
            MissingFileError: If it names no file.
        """
        path = self.place.configs / str(self.given[key])
        if not path.is_file():
            raise MissingFileError(
                f'{self.key(key)}: expected the path of a config from {self.place.configs}, '
                f'received {received(self.given[key])}, which does not exist there'
            )
        return read_config(path, self.values('cfg_options'))

    def _of_path(self, key: str, path: Path) -> str:
        if not path.exists():
            raise MissingFileError(
                f'{self.key(key)}: expected a file or folder, received {path}, which does not '
                'exist; make it, or name an earlier stage'
            )
        return folder_fingerprint(path) if path.is_dir() else file_fingerprint(path)


def input_path(source: Stage | Path) -> str:
    """Where an input lies.

    Args:
        source: A stage or a path.

    Returns:
        The path.
    """
    return str(source.output if isinstance(source, Stage) else source)
