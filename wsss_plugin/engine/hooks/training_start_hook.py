"""Says at the start of a training what is trained, where that goes and how long it takes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.checkpoint_fit import unwrapped
from wsss_plugin.engine.run_identity import read_run
from wsss_plugin.engine.training_start import START_FILE
from wsss_plugin.engine.versions import describe_versions
from wsss_plugin.whole_file import write_json

_UNMEASURED = 2  # iterations in which memory is reserved and workers begin
_MEASURED = 8


@HOOKS.register_module()
class TrainingStartHook(Hook):
    """Logs a few lines at the start, and what an iteration takes after the first of each phase.

    A phase begins where a loss or another CAM does. The start notes itself in ``start.json`` beside
    its curves, for the report.
    """

    # After the run has its name, before all others that have something to say.
    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._times: list[float] = []
        self._begins = 0
        self._starts: tuple[int, ...] = ()

    def before_train(self, runner: Runner) -> None:
        """Logs and notes the start.

        Args:
            runner (Runner): The running loop's owner.
        """
        model = unwrapped(runner.model)
        self._starts = model.phases(runner.max_iters) if hasattr(model, 'phases') else (0,)
        self._begins, self._times = runner.iter, []
        if not is_main_process():
            return
        versions = describe_versions()
        for line in _lines(runner, model, versions['machine']):
            print_log(line, logger='current')
        noted = {
            'run': read_run(runner.work_dir).get('run'),
            'iteration': runner.iter,
            'versions': versions,
        }
        write_json(Path(runner.log_dir, 'vis_data', START_FILE), noted)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: Any = None,  # noqa: ARG002
    ) -> None:
        """Says how long the rest takes once enough iterations of a phase are measured.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        if not is_main_process():
            return
        if runner.iter in self._starts and runner.iter != self._begins:
            self._begins, self._times = runner.iter, []
        if len(self._times) >= _UNMEASURED + _MEASURED:
            return
        # Of the last iteration: the hook that measures this one comes after this hook.
        times = runner.message_hub.log_scalars.get('train/time')
        self._times.append(0.0 if times is None else float(times.current()))
        if len(self._times) == _UNMEASURED + _MEASURED:
            self._say(runner)

    def _say(self, runner: Runner) -> None:
        left = runner.max_iters - runner.iter - 1
        seconds = sum(self._times[_UNMEASURED:]) / _MEASURED
        if left < 1 or not seconds:
            return
        text = (
            f'{seconds:.2f} s per iteration from {self._begins} on: about '
            f'{timedelta(seconds=round(seconds * left))} for the {left} that are left'
        )
        later = [start for start in self._starts if start > runner.iter]
        if later:
            text += f'; more or less from {later[0]} on, where other losses or labels begin'
        print_log(text, logger='current')


def _lines(runner: Runner, model: Any, machine: str) -> list[str]:
    loader, world = runner.train_dataloader, get_world_size()
    dataset = loader.dataset
    folder = getattr(dataset, 'data_root', None)
    where = f'{type(dataset).__name__}{f" in {folder}" if folder else ""}'
    batch = (loader.batch_size or 1) * world
    parts = [getattr(model, name, None) for name in ('backbone', 'decode_head')]
    names = ', '.join(type(part).__name__ for part in parts if part is not None)
    begins = f'{runner.iter} to {runner.max_iters}'
    return [
        f'training {type(model).__name__}{f" ({names})" if names else ""} on {where}: '
        f'{len(dataset)} images, {batch} at a time, iterations {begins}',
        f'on {machine}' + (f', {world} processes' if world > 1 else ''),
        _validation(runner),
        f'log, environment, config and curves go to {runner.log_dir}',
    ]


def _validation(runner: Runner) -> str:
    if runner.val_loop is None:
        return 'no validation'
    interval = getattr(runner.train_loop, 'val_interval', None)
    unit = 'iterations' if isinstance(runner.train_loop, IterBasedTrainLoop) else 'epochs'
    images = len(runner.val_dataloader.dataset)
    return f'validation on {images} images, each {interval} {unit} and at the end'
