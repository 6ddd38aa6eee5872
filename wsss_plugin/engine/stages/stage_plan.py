"""From a config to its stages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from wsss_plugin.engine.stages.evaluation_stage import EvaluationStage
from wsss_plugin.engine.stages.export_stage import ExportStage
from wsss_plugin.engine.stages.score_stage import ScoreStage
from wsss_plugin.engine.stages.stage import Stage, StagePlace
from wsss_plugin.engine.stages.train_stage import TrainStage
from wsss_plugin.errors import ConfigError, MissingFileError, listed, received

RECORDS = 'records'
KINDS: dict[str, type[Stage]] = {
    kind.KIND: kind for kind in (TrainStage, ExportStage, EvaluationStage, ScoreStage)
}
_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9_-]*')
_NO_SOURCES = ('config', 'options', 'cfg_options', 'train')


def read_stages(
    path: str | Path, work_dir: str | Path, options: Mapping[str, Any] | None = None
) -> dict[str, Stage]:
    """Reads the stages of a method.

    Args:
        path: Config with ``stages``: a dict for each by its name, of which one key is the kind.
        work_dir: Folder of all stages.
        options: Values by ``<stage>.<key of its config>``, which replace those of the config.

    Returns:
        The stages by name, each after those that it reads, otherwise in the order of the config.

    Raises:
        MissingFileError: If a config does not exist.
        ConfigError: If there are no stages, or one is not understood; names its key.
    """
    if not Path(path).is_file():
        raise MissingFileError(
            f'expected a config of stages, received {path}, which does not exist; see '
            'configs/stages/'
        )
    given = Config.fromfile(path).to_dict().get('stages')
    # None removes what a base file has.
    wanted = {name: value for name, value in (given or {}).items() if value is not None}
    if not wanted:
        raise ConfigError(
            f"{path}: expected stages=dict(name=dict(train='config.py'), ...), received "
            f'{received(given)}'
        )
    for name, value in wanted.items():
        _check(name, value)
    wanted = _with_options(wanted, options or {})
    stages: dict[str, Stage] = {}
    for name in _sorted(wanted):
        place = StagePlace(Path(work_dir), Path(path).parent, dict(stages))
        stages[name] = KINDS[_kinds(wanted[name])[0]](name, wanted[name], place)
    return stages


def _check(name: str, value: Any) -> None:
    if not _NAME.fullmatch(name) or name == RECORDS:
        raise ConfigError(
            f'stages: expected names of letters, digits, - and _, other than {RECORDS!r}, since '
            f'folders have them, received {received(name)}'
        )
    kinds = _kinds(value) if isinstance(value, Mapping) else []
    if len(kinds) != 1:
        raise ConfigError(
            f'stages.{name}: expected a dict with one of {listed(KINDS)}, received '
            f'{listed(kinds) or received(value)}'
        )


def _kinds(value: Mapping[str, Any]) -> list[str]:
    return [kind for kind in KINDS if kind in value]


def _with_options(
    stages: Mapping[str, dict[str, Any]], options: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    changed = {name: dict(value) for name, value in stages.items()}
    for key, value in options.items():
        name, _, rest = key.partition('.')
        if name not in changed or not rest:
            raise ConfigError(
                '--cfg-options: expected <stage>.<key of its config>=value with one of the stages '
                f'{listed(changed)}, received {received(key)}'
            )
        changed[name]['cfg_options'] = {**(changed[name].get('cfg_options') or {}), rest: value}
    return changed


def _sorted(stages: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names, each after those that it reads; a base file may have come first."""
    sources = {name: set(_sources(value)) & set(stages) for name, value in stages.items()}
    found: list[str] = []
    while len(found) < len(stages):
        ready = [name for name in stages if name not in found and sources[name] <= set(found)]
        if not ready:
            left = [name for name in stages if name not in found]
            raise ConfigError(
                f'stages: expected stages that can follow one another, received {listed(left)}, '
                'which read each other; correct what they read'
            )
        found.append(ready[0])
    return found


def _sources(value: Any) -> Iterator[str]:
    """What may be the name of a stage."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        yield from (name for key, one in pairs if key not in _NO_SOURCES for name in _sources(one))
