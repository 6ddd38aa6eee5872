"""From config files to the runs of a table."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from wsss_plugin.engine.ablation.row import Row
from wsss_plugin.engine.ablation.run import TESTS, Run
from wsss_plugin.engine.run_config import wsss_metrics

# Keys of a config that training and test read; the others are variables of its base files.
_CONFIG_KEYS = {*inspect.signature(Runner.__init__).parameters}
_CONFIG_KEYS |= {'custom_imports', 'model_wrapper_cfg', 'tta_model', 'tta_pipeline'}


def plan_rows(
    configs: Sequence[Path],
    seeds: Sequence[int],
    root: Path,
    options: Mapping[str, object],
    multi_scale: bool = False,
    records: Path | None = None,
) -> list[Row]:
    """Finds the runs of every config.

    A run's folder is named after the content of its config, so that a config that was changed is
    run again and configs of equal content are run once.

    Args:
        configs: Config files.
        seeds: Random seeds.
        root: Folder of all runs.
        options: Values by dotted key that replace those of the configs.
        multi_scale: Whether rows with a decoder are tested a second time.
        records: Folder in which the figures of finished runs are kept; None for nowhere.

    Returns:
        The rows in the order of the configs.

    Raises:
        KeyError: If a config has no metric that the table can be made of; names the config.
    """
    rows = []
    names: dict[str, str] = {}
    for path in configs:
        config = Config.fromfile(path)
        config.merge_from_dict(dict(options))
        _require_metric(path, config)
        key = content_key(config)
        name = names.setdefault(key, path.stem)
        folder = _folder(root, name, key)
        kept = None if records is None else _folder(records, name, key)
        tests = tuple(TESTS) if multi_scale and 'decode_head' in config.model else ('metrics',)
        runs = tuple(_run(name, folder, config, seed, tests, kept) for seed in seeds)
        rows.append(Row(path.stem, config, runs))
    return rows


def _folder(root: Path, name: str, key: str) -> Path:
    """The folder of this content, under whatever name it is there."""
    present = sorted(root.glob(f'*-{key}'))
    return present[0] if present else root / f'{name}-{key}'


def _require_metric(path: Path, config: Config) -> None:
    if not wsss_metrics(config):
        raise KeyError(
            f'{path}: expected a WSSSMetric in test_evaluator, which the table is made of, '
            f"received {config.get('test_evaluator')}; add dict(type='WSSSMetric')"
        )


def content_key(config: Config) -> str:
    """A name for what a config does.

    Args:
        config: The config.

    Returns:
        Eight digits; equal for configs that differ only in variables that nothing reads.
    """
    read = {name: config[name] for name in config if name in _CONFIG_KEYS}
    content = json.dumps(Config(read).to_dict(), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def _run(
    name: str,
    folder: Path,
    config: Config,
    seed: int,
    tests: tuple[str, ...],
    records: Path | None,
) -> Run:
    seeded = copy.deepcopy(config)
    seeded.merge_from_dict({'randomness.seed': seed})
    record = None if records is None else records / f'seed_{seed}.json'
    return Run(f'{name} seed {seed}', folder / f'seed_{seed}', seeded, tests, record)
