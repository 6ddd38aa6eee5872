"""From config files to the runs of a table."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from wsss_plugin.engine.ablation.record_folder import RecordFolder, config_name
from wsss_plugin.engine.ablation.row import Row
from wsss_plugin.engine.ablation.run import Run
from wsss_plugin.engine.mask_folder import mask_folder
from wsss_plugin.engine.run_config import wsss_metrics
from wsss_plugin.engine.segmentor_kinds import predicts

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
    run again and configs of equal content are run once. Its record is named after the config's path
    in ``configs``, and the options if there are any.

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
        ValueError: If two configs would have the same records.
    """
    rows = []
    names: dict[str, tuple[str, str]] = {}
    kept = None if records is None else RecordFolder(records)
    for path in configs:
        config = Config.fromfile(path)
        config.merge_from_dict(dict(options))
        _require_metric(path, config)
        digest = content_key(config)
        record_name = config_name(path) + (f'-{_digest(dict(options))}' if options else '')
        name, record_name = names.setdefault(digest, (path.stem, record_name))
        folder = _folder(root, name, digest)
        tests = _tests(config, multi_scale)
        run = Run(name, folder, config, tests, _extra(config), digest=digest)
        runs = tuple(_of_seed(run, seed, kept, record_name) for seed in seeds)
        rows.append(Row(_row_name(path, configs), config, runs))
    if kept is not None:
        _require_different_names([record_name for _, record_name in names.values()])
    return rows


def _row_name(path: Path, configs: Sequence[Path]) -> str:
    """The name of the file; with its folder if another config has the name."""
    is_only = [other.stem for other in configs].count(path.stem) == 1
    return path.stem if is_only else f'{path.absolute().parent.name}/{path.stem}'


def _tests(config: Config, multi_scale: bool) -> tuple[str, ...]:
    # A CAM has no logits for several scales and a CRF.
    is_cam = predicts(config.model)['segmentation'] == 'cam'
    return ('metrics', 'multi_scale') if multi_scale and not is_cam else ('metrics',)


def _extra(config: Config) -> tuple[str, ...]:
    # Training from tags needs no masks, and a user with tags only has none.
    folder = mask_folder((config.get('train_dataloader') or {}).get('dataset') or {})
    return ('train',) if folder is not None and folder.is_dir() else ()


def _of_seed(run: Run, seed: int, kept: RecordFolder | None, record_name: str) -> Run:
    seeded = copy.deepcopy(run.config)
    seeded.merge_from_dict({'randomness.seed': seed})
    return dataclasses.replace(
        run,
        name=f'{run.name} seed {seed}',
        folder=run.folder / f'seed_{seed}',
        config=seeded,
        record_file=None if kept is None else kept.file(record_name, seed, run.digest),
    )


def _require_different_names(names: Sequence[str]) -> None:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            'expected configs of different names for --records, or in a folder called configs, '
            f'received several called {repeated}; rename one'
        )


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
    return _digest(Config(read).to_dict())


def _digest(content: Mapping[str, object]) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
