"""A training as a stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from wsss_plugin.engine.fingerprints import weights_fingerprint
from wsss_plugin.engine.run_identity import RunCheckpoint, latest_checkpoint, read_run
from wsss_plugin.engine.stages.stage import Stage, StagePlace, input_path
from wsss_plugin.engine.stages.tool_call import ToolCall, named_arguments
from wsss_plugin.errors import ConfigError, received

# Inputs with a name of their own: their key in the config, and what the stage there has to make.
_INPUTS = {
    'load_from': ('load_from', 'checkpoint'),
    'load_part': ('load_part.checkpoint', 'checkpoint'),
    'label_dir': ('train_dataloader.dataset.label_dir', 'labels'),
}


class TrainStage(Stage):
    """``dict(train='config.py')``: ``tools/train.py``, which is resumed until it is done.

    ``load_from``, ``load_part`` and ``label_dir`` name stages, the last also several, as the data
    set takes folders: ``['data/corrected', 'labels']``. ``inputs`` names one for any other key of
    the config, such as ``{'model.cams.final.folder': 'maps'}``.
    """

    KIND = 'train'
    MAKES = 'checkpoint'
    KEYS = tuple(_INPUTS)
    READS = (
        'auto_scale_lr',
        'custom_hooks',
        'data_preprocessor',
        'default_hooks',
        'default_scope',
        'load_from',
        'load_part',
        'model',
        'optim_wrapper',
        'param_scheduler',
        'randomness',
        'train_cfg',
        'train_dataloader',
    )

    def __init__(self, name: str, given: Mapping[str, Any], place: StagePlace) -> None:
        super().__init__(name, given, place)
        # By the key of the config, in the form in which it is given: a name, or names in a list.
        self._placed: dict[str, Any] = dict(self.values('inputs'))
        for short, (key, makes) in _INPUTS.items():
            if given.get(short) is not None:
                self._placed[key] = given[short]
                for full, text in _sources(key, given[short]):
                    self.inputs[full] = self.source(short, text, (makes,))
        self._last = self._last_checkpoint(self.config(placed=False))

    def config(self, placed: bool = True) -> Config:
        """The config, with the paths of its inputs unless ``placed`` is False."""
        config = self.read_config(self.KIND)
        if 'load_part.checkpoint' in self.inputs and not (config.get('load_part') or {}).get(
            'modules'
        ):
            raise ConfigError(
                f'{self.key("load_part")}: expected the names of modules as load_part.modules of '
                "the config, received none; add cfg_options={'load_part.modules': ['backbone']}"
            )
        for key, value in self._placed.items():
            config.merge_from_dict({key: self._paths(key, value, placed)})
        return config

    @property
    def output(self) -> Path:
        """What other stages read."""
        return self.folder / self._last

    def call(self, config: Path) -> ToolCall:
        """The call of the tool."""
        options = ['--work-dir', str(self.folder), '--resume']
        return ToolCall(
            'train.py', [str(config)], options + named_arguments(self.values('options'))
        )

    def lacks(self) -> str:
        """What the output lacks, in words."""
        try:
            RunCheckpoint.read(self.output)
        except (OSError, RuntimeError, ValueError) as error:
            return str(error) if self.output.exists() else f'{self.output} does not exist'
        return ''

    def output_fingerprint(self) -> str:
        """Fingerprint of the output."""
        return weights_fingerprint(self.output)

    @property
    def run(self) -> str:
        """Name of the training."""
        return read_run(self.folder).get('run', '')

    def progress(self) -> str:
        """How far it has come, in words."""
        latest, _ = latest_checkpoint(self.folder)
        return f'{latest.path.stem} of {self.output.stem}' if latest else ''

    def _paths(self, key: str, value: Any, placed: bool) -> Any:
        """A value with the paths of its inputs, or None in their place."""
        if isinstance(value, str):
            return input_path(self.inputs[key]) if placed else None
        if isinstance(value, Mapping):
            return {name: self._paths(f'{key}.{name}', one, placed) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._paths(f'{key}.{i}', one, placed) for i, one in enumerate(value)]
        return value

    def _last_checkpoint(self, config: Config) -> str:
        """Name of the checkpoint with which the training ends."""
        saved = (config.get('default_hooks') or {}).get('checkpoint') or {}
        for key, usual in (('out_dir', None), ('save_last', True)):
            if saved.get(key, usual) is not usual:
                raise ConfigError(
                    f'{self.key("train")}: expected the last checkpoint of a stage in its folder, '
                    f'received default_hooks.checkpoint.{key}={received(saved[key])}; remove it'
                )
        loop = config.get('train_cfg') or {}
        for key, template in (('max_iters', 'iter_{}.pth'), ('max_epochs', 'epoch_{}.pth')):
            if isinstance(loop.get(key), int):
                return template.format(loop[key])
        raise ConfigError(
            f'{self.key("train")}: expected train_cfg.max_iters or max_epochs in the config, '
            f'received {received(dict(loop))}; add one'
        )


def _sources(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The names in a value, each with its key; other values than numbers are taken for names."""
    if isinstance(value, Mapping | list | tuple):
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, one in pairs:
            yield from _sources(f'{key}.{name}', one)
    elif not isinstance(value, int | float):
        yield key, value
