"""From config files to the runs of a table."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from wsss_plugin.engine.ablation.record_folder import RecordFolder, config_name
from wsss_plugin.engine.ablation.row import Row
from wsss_plugin.engine.ablation.run import Run
from wsss_plugin.engine.config_reading.read_config import read_config
from wsss_plugin.engine.fingerprints import content_key, short_digest
from wsss_plugin.engine.mask_folder import mask_folder
from wsss_plugin.engine.scoring_config import wsss_metrics
from wsss_plugin.engine.segmentor_kinds import predicts


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
        The rows in the order of the configs, named after their files; with the folders in
        ``configs`` where files of several folders have the same name.

    Raises:
        KeyError: If a config has no metric that the table can be made of; names the config.
        ValueError: If two configs would have the same records.
    """
    rows = []
    names: dict[str, tuple[str, str]] = {}
    kept = None if records is None else RecordFolder(records)
    for path in configs:
        config = read_config(path, options)
        _require_metric(path, config)
        digest = content_key(config)
        record_name = config_name(path) + (f'-{short_digest(dict(options))}' if options else '')
        name, record_name = names.setdefault(digest, (path.stem, record_name))
        folder = _folder(root, name, digest)
        tests = _tests(config, multi_scale)
        run = Run(name, folder, config, tests, _extra(config), digest=digest)
        runs = tuple(_of_seed(run, seed, kept, record_name) for seed in seeds)
        rows.append(Row(_title(path, configs), config, runs))
    if kept is not None:
        _require_different_names([record_name for _, record_name in names.values()])
    return rows


def _title(path: Path, configs: Sequence[Path]) -> str:
    """The name of the file; with its folders if another file has the name."""
    alike = {other.absolute() for other in configs if other.stem == path.stem}
    if len(alike) == 1:
        return path.stem
    name = config_name(path)
    return name if '/' in name else f'{path.absolute().parent.name}/{name}'


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
