"""What stages that use a checkpoint share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mmengine.config import Config

from wsss_plugin.engine.stages.stage import Stage, StagePlace, input_path
from wsss_plugin.engine.stages.tool_call import named_arguments
from wsss_plugin.errors import ConfigError


class PredictStage(Stage):
    """A tool that takes a config and a checkpoint.

    The config is the one of the training, unless ``config`` names another. ``options`` are
    arguments of the tool; ``inputs`` are arguments that name stages.

    Attributes:
        read: The stage or the file that it is about.
    """

    KEYS = ('config',)
    SOURCES: ClassVar[tuple[str, ...]] = ('checkpoint',)
    READS = (
        'custom_hooks',
        'data_preprocessor',
        'default_scope',
        'model',
        'test_dataloader',
        'test_evaluator',
        'train_dataloader',
        'tta_model',
        'tta_pipeline',
        'val_dataloader',
    )

    def __init__(self, name: str, given: Mapping[str, Any], place: StagePlace) -> None:
        super().__init__(name, given, place)
        self.read = self.source(self.KIND, given[self.KIND], self.SOURCES)
        self.inputs[self.KIND] = self.read
        if not isinstance(self.read, Stage) and given.get('config') is None:
            raise ConfigError(
                f'{self.key("config")}: expected the path of a config beside {self.read}, received '
                'none; name the config of its training'
            )

    def config(self, placed: bool = True) -> Config:
        """The config, with the paths of its inputs unless ``placed`` is False."""
        if self.given.get('config') is None and isinstance(self.read, Stage):
            config = self.read.config(placed)
            config.merge_from_dict(self.values('cfg_options'))
        else:
            config = self.read_config('config')
        # From which the training started.
        config.load_part = config.load_from = None
        return config

    @property
    def arguments(self) -> list[str]:
        """The arguments that ``options`` and ``inputs`` ask for."""
        placed = {key: input_path(self.inputs[key]) for key in self.values('inputs')}
        return named_arguments({**self.values('options'), **placed})
