"""Trains and tests configs with several seeds, and tabulates the scores in Markdown.

Called again it skips what is finished and continues what is not:

    python tools/run_ablations.py configs/ablations/shapes/*.py --seeds 0 1 2 --jobs 2
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import inspect
import json
import math
import os
import platform
import shlex
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner

TOOLS = Path(__file__).resolve().parent
REFERENCE = 'supervised_shapes'
HEARTBEAT = 60  # seconds between two lines of progress
CAMS = (('CAM', 'cam'), ('aux CAM', 'aux_cam'), ('CNN CAM', 'cnn_cam'))
# Keys of a config that training and test read; the others are variables of its base files.
CONFIG_KEYS = {*inspect.signature(Runner.__init__).parameters}
CONFIG_KEYS |= {'custom_imports', 'model_wrapper_cfg', 'tta_model', 'tta_pipeline'}
# Arguments of tools/test.py by the name of the file of metrics.
TESTS = {'metrics': ('--cam',), 'multi_scale': ('--tta', '--crf')}


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Attributes:
        name: Text for the progress.
        folder: Folder of config, logs, checkpoints and metrics.
        config: The config with the seed.
        tests: Which of ``TESTS``.
    """

    name: str
    folder: Path
    config: Config = field(compare=False, repr=False)
    tests: tuple[str, ...] = ('metrics',)

    @property
    def iterations(self) -> int:
        """Length of the training."""
        return self.config.train_cfg.max_iters

    def metrics_file(self, test: str) -> Path:
        """The metrics of a test, present once it is finished."""
        return self.folder / f'{test}.json'

    def classes_file(self, test: str) -> Path:
        """The metrics of a test by class."""
        return self.folder / f'{test}_by_class.json'

    @property
    def machine_file(self) -> Path:
        """What the run was made on, present once it is finished."""
        return self.folder / 'machine.txt'

    @property
    def checkpoint(self) -> Path:
        """The last checkpoint."""
        return self.folder / f'iter_{self.iterations}.pth'

    @property
    def trained(self) -> bool:
        """Whether the last checkpoint is there and whole."""
        # The toolbox notes the name once all is saved, and a test has read all.
        note = self.folder / 'last_checkpoint'
        last = Path(note.read_text(encoding='utf-8').strip()).name if note.is_file() else ''
        tested = any(self.metrics_file(test).is_file() for test in TESTS)
        return self.checkpoint.is_file() and (last == self.checkpoint.name or tested)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return all(self.metrics_file(test).is_file() for test in self.tests)

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics by name; those of other tests than the first begin with its name."""
        found = {}
        for test in self.tests:
            prefix = '' if test == 'metrics' else f'{test}/'
            for name, value in _read(self.metrics_file(test)).items():
                # JSON has no NaN.
                found[prefix + name] = math.nan if value is None else value
        return found

    @property
    def over_activation(self) -> dict[str, float]:
        """Over-activation of the segmentation by foreground class, in percent."""
        path = self.classes_file('metrics')
        classes = _read(path)['classes'] if path.is_file() else {}
        rates = {name: fields['segmentation'] for name, fields in list(classes.items())[1:]}
        found = {name: rate['over_activation'] for name, rate in rates.items()}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def minutes(self) -> float:
        """Time of the training by its log, without validation and checkpoints."""
        lines = [
            line
            for log in sorted(self.folder.glob('*/vis_data/scalars.json'))
            for line in _complete_lines(log)
        ]
        times = [line['time'] for line in lines if 'loss' in line and 'time' in line]
        return statistics.mean(times) * self.iterations / 60 if times else math.nan


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: Name of the config.
        config: The config, with the options of the command line.
        runs: One run per seed; rows of equal content have the same runs.
    """

    name: str
    config: Config
    runs: tuple[Run, ...]

    def values(self, metric: str) -> list[float]:
        """Values of a metric in percent, one for each seed that is finished and has it."""
        return _numbers(run.metrics.get(metric, math.nan) for run in self.runs if run.done)

    def over_activation(self, name: str) -> list[float]:
        """Over-activation of a class in percent, one value for each seed that has it."""
        done = [run.over_activation for run in self.runs if run.done]
        return _numbers(rates.get(name, math.nan) for rates in done)

    @property
    def minutes(self) -> list[float]:
        """Training times of the seeds that are finished."""
        return _numbers(run.minutes for run in self.runs if run.done)

    @property
    def is_cam(self) -> bool:
        """Whether the segmentation is a CAM, for want of a decoder."""
        return 'decode_head' not in self.config.model


class Children:
    """The processes of the runs, which end together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen] = set()
        self._stopped = False

    def call(self, command: Sequence[str], **options: Any) -> int:
        """Runs a process to its end.

        Args:
            command: What to start.
            **options: Arguments of ``subprocess.Popen``.

        Returns:
            Its exit status.

        Raises:
            RuntimeError: If the processes were stopped before this one began.
        """
        with self._lock:
            if self._stopped:
                raise RuntimeError(f'all runs were stopped before {command} began; call it again')
            process = subprocess.Popen(command, **options)
            self._running.add(process)
        try:
            return process.wait()
        finally:
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """Ends what runs and starts nothing more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()


CHILDREN = Children()


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('configs', nargs='+', type=Path, help='config files, one row each')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2])
    parser.add_argument('--jobs', type=int, default=1, help='runs at the same time')
    parser.add_argument('--threads', type=int, help='threads of a run; default: cores / jobs')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/ablations'))
    parser.add_argument('--out', type=Path, default=Path('docs/results/shapes.md'), help='table')
    parser.add_argument(
        '--reference', default=REFERENCE, help='name of the config of full supervision'
    )
    parser.add_argument(
        '--multi-scale',
        action='store_true',
        help='test a second time: several scales and flip, without and with CRF',
    )
    parser.add_argument(
        '--report-only', action='store_true', help='tabulate what is finished, run nothing'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='key=value pairs that replace values of every config',
    )
    args = parser.parse_args(arguments)
    if args.jobs < 1 or (args.threads is not None and args.threads < 1):
        parser.error('expected --jobs and --threads of at least 1')
    missing = [str(path) for path in args.configs if not path.is_file()]
    if missing:
        parser.error(f'expected config files, received {missing}, which do not exist')
    if args.threads is None:
        args.threads = max(1, (os.cpu_count() or 1) // args.jobs)
    return args


def plan_rows(
    configs: Sequence[Path],
    seeds: Sequence[int],
    root: Path,
    options: Mapping[str, object],
    multi_scale: bool = False,
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

    Returns:
        The rows in the order of the configs.
    """
    rows = []
    folders: dict[str, tuple[str, Path]] = {}
    for path in configs:
        config = Config.fromfile(path)
        config.merge_from_dict(dict(options))
        key = content_key(config)
        present = sorted(root.glob(f'*-{key}'))
        folder = folders.setdefault(
            key, (path.stem, present[0] if present else root / f'{path.stem}-{key}')
        )
        tests = tuple(TESTS) if multi_scale and 'decode_head' in config.model else ('metrics',)
        runs = tuple(_run(*folder, config, seed, tests) for seed in seeds)
        rows.append(Row(path.stem, config, runs))
    return rows


def content_key(config: Config) -> str:
    """A name for what a config does.

    Args:
        config: The config.

    Returns:
        Eight digits; equal for configs that differ only in variables that nothing reads.
    """
    read = {name: config[name] for name in config if name in CONFIG_KEYS}
    content = json.dumps(Config(read).to_dict(), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def _run(name: str, folder: Path, config: Config, seed: int, tests: tuple[str, ...]) -> Run:
    seeded = copy.deepcopy(config)
    seeded.merge_from_dict({'randomness.seed': seed})
    return Run(f'{name} seed {seed}', folder / f'seed_{seed}', seeded, tests)


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding='utf-8'))


def _complete_lines(log: Path) -> list[dict]:
    # The last line may be half written.
    lines = log.read_text(encoding='utf-8').rpartition('\n')[0].splitlines()
    return [json.loads(line) for line in lines]


def _numbers(values: Iterable[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]


def execute(run: Run, threads: int) -> None:
    """Trains and tests in processes of their own.

    Args:
        run: What to run.
        threads: Threads of each process.

    Raises:
        RuntimeError: If a process fails; the message has the end of its output.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    # A copy, so that a run is what its folder says even if the config is edited meanwhile.
    config = run.folder / 'config.py'
    run.config.dump(config)
    if not run.trained:
        # The result does not depend on validation while training.
        options = ['--resume', '--cfg-options', f'train_cfg.val_begin={run.iterations + 1}']
        _call(run, 'train.py', [str(config), '--work-dir', str(run.folder), *options], threads)
    run.machine_file.write_text(f'{hardware()}, {threads} threads; {software()}', encoding='utf-8')
    for test in run.tests:
        if not run.metrics_file(test).is_file():
            _test(run, test, config, threads)


def _test(run: Run, test: str, config: Path, threads: int) -> None:
    part = run.metrics_file(test).with_suffix('.part')
    options = ['--work-dir', str(run.folder / 'test'), '--out', str(part), *TESTS[test]]
    options += ['--cfg-options', f'test_evaluator.out_file={run.classes_file(test)}']
    _call(run, 'test.py', [str(config), str(run.checkpoint), *options], threads)
    part.replace(run.metrics_file(test))


def _call(run: Run, script: str, arguments: Sequence[str], threads: int) -> None:
    log = run.folder / f'{script}.log'
    environment = {name: str(threads) for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')}
    command = [sys.executable, str(TOOLS / script), *arguments]
    with log.open('a', encoding='utf-8') as stream:
        status = CHILDREN.call(
            command, stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    if status != 0:
        tail = '\n'.join(log.read_text(encoding='utf-8').splitlines()[-15:])
        raise RuntimeError(f'{script} of {run.name} failed, see {log}:\n{tail}')


def execute_all(rows: Sequence[Row], args: argparse.Namespace) -> list[RuntimeError]:
    """Executes what is not finished, several runs at a time; a failed run does not stop others.

    Args:
        rows: The rows of the table.
        args: The command line.

    Returns:
        The failures.
    """
    runs = list(dict.fromkeys(run for row in rows for run in row.runs))
    open_runs = [run for run in runs if not run.done]
    _say(f'{len(runs)} runs, {len(runs) - len(open_runs)} finished before')
    failures: list[RuntimeError] = []
    start = time.monotonic()
    executor = ThreadPoolExecutor(args.jobs)
    handler = signal.signal(signal.SIGTERM, _stop)
    try:
        waiting = {executor.submit(execute, run, args.threads): run for run in open_runs}
        finished = 0
        while waiting:
            ended, _ = wait(waiting, HEARTBEAT, FIRST_COMPLETED)
            if not ended:
                _say(_running(waiting))
            for future in ended:
                run, error = waiting.pop(future), future.exception()
                finished += 1
                minutes = (time.monotonic() - start) / 60
                left = minutes / finished * len(waiting)
                text = f'failed: {error}' if error else f'mIoU {run.metrics.get("mIoU", 0):.2f}'
                _say(
                    f'[{finished}/{len(open_runs)}] {run.name}: {text} '
                    f'({minutes:.0f} min passed, about {left:.0f} left)'
                )
                if isinstance(error, RuntimeError):
                    failures.append(error)
                elif error:
                    raise error
                else:
                    write_report(rows, args)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        signal.signal(signal.SIGTERM, handler)
    return failures


def _stop(number: int, _frame: object) -> None:
    # Ctrl-C reaches the processes by itself.
    CHILDREN.stop()
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    print(f'run_ablations: {text}', flush=True)


def _running(waiting: Mapping[Future, Run]) -> str:
    """The iteration of every run that has begun."""
    texts = []
    for future, run in waiting.items():
        logs = sorted(run.folder.glob('*/vis_data/scalars.json'))
        if future.running() and logs:
            steps = [line.get('step', 0) for line in _complete_lines(logs[-1])[-1:]]
            texts.append(f'{run.name} at {max(steps, default=0)}/{run.iterations}')
    return '; '.join(texts) or 'starting'


def write_report(rows: Sequence[Row], args: argparse.Namespace) -> None:
    """Writes the tables.

    Args:
        rows: The rows of the table.
        args: The command line.
    """
    args.out.parent.mkdir(parents=True, exist_ok=True)
    part = args.out.with_suffix('.part')
    part.write_text(report(rows, args), encoding='utf-8')
    part.replace(args.out)


def command_line(args: argparse.Namespace) -> str:
    """The command that makes the report, with configs of one folder as a pattern.

    Args:
        args: The command line.

    Returns:
        The command.
    """
    given = {path.resolve() for path in args.configs}
    texts = []
    for folder in dict.fromkeys(path.parent for path in args.configs):
        all_files = {path.resolve() for path in folder.glob('*.py')}
        if all_files <= given:
            texts.append(f'{folder}/*.py')
        else:
            texts += [str(path) for path in args.configs if path.parent == folder]
    seeds = ' '.join(str(seed) for seed in args.seeds)
    command = f'python tools/run_ablations.py {" ".join(texts)} --seeds {seeds} --jobs {args.jobs}'
    command += f' --threads {args.threads} --out {args.out}'
    if args.multi_scale:
        command += ' --multi-scale'
    if args.reference != REFERENCE:
        command += f' --reference {args.reference}'
    if args.cfg_options:
        pairs = (f'{key}={str(value).replace(" ", "")}' for key, value in args.cfg_options.items())
        command += ' --cfg-options ' + ' '.join(shlex.quote(pair) for pair in pairs)
    return command


def report(rows: Sequence[Row], args: argparse.Namespace) -> str:
    """The report in Markdown.

    Args:
        rows: The rows of the table.
        args: The command line.

    Returns:
        The text.
    """
    seeds = ', '.join(str(seed) for seed in args.seeds)
    budget = _budget(rows[0])
    exceptions = ''.join(
        f'; of {row.name}: {_budget(row)}' for row in rows if _budget(row) != budget
    )
    runs = dict.fromkeys(run for row in rows for run in row.runs)
    done = [run for run in runs if run.done]
    machines = dict.fromkeys(run.machine_file.read_text(encoding='utf-8') for run in done)
    parts = [
        f'# Measured: {args.out.stem}',
        f'Written by `{command_line(args)}`.',
        f'* Seeds: {seeds}; finished: {len(done)} of {len(runs)} runs. Budget of a run: '
        f'{budget}{exceptions}.\n'
        f'* Made on: {" / ".join(machines) or "nothing is finished"}.\n'
        '* Values in percent: mean ± standard deviation over the seeds (n - 1). "(= name)" shares '
        'the runs of a row of equal content.\n'
        f'* "of supervised" is the ratio of the mean mIoU to that of `{args.reference}`. OA = '
        'FP/(TP+FP), FN = FN/(TP+FN), both over the foreground classes. min = minutes of '
        'training.\n'
        '* CAMs are masked by the true tags. "best" is at the threshold that is best on the masks '
        'it is scored on, so it is an upper bound; the threshold is the mean over the seeds.',
        '## Segmentation',
        _table(*_segmentation(rows, args.reference)),
        '† a CAM at the fixed threshold, with the true tags; there is no decoder.'
        if any(row.is_cam for row in rows)
        else '',
        '## CAMs',
        _table(*_cams(rows)),
        *_section('Segmentation mIoU by group of images', *_groups(rows)),
        *_section('Over-activation of the segmentation by class', *_classes(rows)),
    ]
    return '\n\n'.join(part for part in parts if part) + '\n'


def _budget(row: Row) -> str:
    config = row.config
    return f'{config.train_cfg.max_iters} iterations x {config.train_dataloader.batch_size} images'


def _section(title: str, head: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """A table with its title, or nothing where it has no columns or no rows."""
    return [f'## {title}', _table(head, cells)] if head[1:] and cells else []


def hardware() -> str:
    """The processor, its cores and the GPU.

    Returns:
        The text.
    """
    info = Path('/proc/cpuinfo')
    lines = info.read_text(encoding='utf-8').splitlines() if info.is_file() else []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    name = (names or [platform.processor() or platform.machine()])[0]
    gpu = f', {torch.cuda.get_device_name()}' if torch.cuda.is_available() else ', no GPU'
    return f'{name}, {os.cpu_count()} cores{gpu}'


def software() -> str:
    """The versions of Python and torch.

    Returns:
        The text.
    """
    return f'Python {platform.python_version()}, torch {torch.__version__}'


def _segmentation(rows: Sequence[Row], reference: str) -> tuple[list[str], list[list[str]]]:
    supervised = [row.values('mIoU') for row in rows if row.name == reference]
    full = statistics.mean(supervised[0]) if supervised and supervised[0] else math.nan
    extra = [
        (title, metric)
        for title, metric in (
            ('multi-scale', 'multi_scale/mIoU'),
            ('multi-scale + CRF', 'multi_scale/crf/mIoU'),
        )
        if any(row.values(metric) for row in rows)
    ]
    cells = []
    for row in rows:
        scores = row.values('mIoU')
        ratio = statistics.mean(scores) / full if scores else math.nan
        cells.append(
            [
                _title(row, rows) + (' †' if row.is_cam else ''),
                str(len(scores)),
                _cell(scores),
                '' if math.isnan(ratio) else f'{ratio:.3f}',
                _cell(row.values('over_activation')),
                _cell(row.values('false_negative')),
                *(_cell(row.values(metric)) for _, metric in extra),
                f'{statistics.mean(row.minutes):.1f}' if row.minutes else '',
            ]
        )
    head = ['config', 'seeds', 'mIoU', 'of supervised', 'OA', 'FN']
    return [*head, *(title for title, _ in extra), 'min'], cells


def _cams(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    threshold = rows[0].config.test_evaluator.get('cam_threshold', 0.5)
    head = ['config']
    for title, _ in CAMS:
        head += [f'{title} at {threshold:g}', 'best', 'at', 'OA']
    cells = []
    for row in rows:
        line = [_title(row, rows)]
        for _, name in CAMS:
            best_at = row.values(f'{name}/best_threshold')
            line += [
                _cell(row.values(f'{name}/mIoU')),
                _cell(row.values(f'{name}/best_mIoU')),
                f'{statistics.mean(best_at):.2f}' if best_at else '',
                _cell(row.values(f'{name}/over_activation')),
            ]
        cells.append(line)
    return head, [line for line in cells if any(line[1:])]


def _groups(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    metrics = {name for row in rows for run in row.runs if run.done for name in run.metrics}
    split = [name.split('/') for name in sorted(metrics)]
    groups = [parts[1] for parts in split if parts[0] == 'group' and parts[2:] == ['mIoU']]
    cells = [
        [_title(row, rows), *(_cell(row.values(f'group/{group}/mIoU')) for group in groups)]
        for row in rows
    ]
    return ['config', *groups], cells


def _classes(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    done = [run for row in rows for run in row.runs if run.done]
    names = list(dict.fromkeys(name for run in done for name in run.over_activation))
    shown = [row for row in rows if any(row.over_activation(name) for name in names)]
    cells = [
        [_title(row, rows), *(_cell(row.over_activation(name)) for name in names)] for row in shown
    ]
    return ['config', *names], cells


def _title(row: Row, rows: Sequence[Row]) -> str:
    first = next(other for other in rows if other.runs == row.runs)
    return row.name if first is row else f'{row.name} (= {first.name})'


def _cell(values: Sequence[float]) -> str:
    if not values:
        return ''
    mean = f'{statistics.mean(values):.1f}'
    return f'{mean} ± {statistics.stdev(values):.1f}' if len(values) > 1 else mean


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ['---', *(['---:'] * (len(head) - 1))]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (head, rule, *rows))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs and tabulates as the command line says."""
    args = parse_args(arguments)
    rows = plan_rows(args.configs, args.seeds, args.work_dir, args.cfg_options, args.multi_scale)
    failures = [] if args.report_only else execute_all(rows, args)
    write_report(rows, args)
    _say(f'table in {args.out}')
    if failures:
        _say(f'{len(failures)} runs failed; call it again to continue them')
    return int(bool(failures))


if __name__ == '__main__':
    raise SystemExit(main())
