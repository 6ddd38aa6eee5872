"""Training and tests of a run by the command lines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from wsss_plugin.engine.ablation.child_processes import ChildProcesses
from wsss_plugin.engine.ablation.run import TESTS, Run
from wsss_plugin.engine.machine import describe_machine
from wsss_plugin.engine.program import describe_program
from wsss_plugin.engine.scoring_config import wsss_metrics
from wsss_plugin.whole_file import write_json


class RunExecutor:
    """Trains and tests runs in processes of their own; several threads may share one.

    Args:
        tools: Folder of ``train.py`` and ``test.py``.
        threads: Threads of each process.
    """

    def __init__(self, tools: Path, threads: int) -> None:
        self.tools = tools
        self.threads = threads
        self._children = ChildProcesses()

    def execute(self, run: Run) -> None:
        """Does what is left to do of a run.

        Args:
            run: What to run.

        Raises:
            RuntimeError: If a process fails; the message has the end of its output. What is
                finished is kept first.
        """
        run.folder.mkdir(parents=True, exist_ok=True)
        # A copy, so that a run is what its folder says even if the config is edited meanwhile.
        config = run.folder / 'config.py'
        run.config.dump(config)
        trained = run.trained
        if not trained:
            # The result does not depend on validation while training.
            options = ['--resume', '--cfg-options', f'train_cfg.val_begin={run.iterations + 1}']
            self.call(run, 'train.py', [str(config), '--work-dir', str(run.folder), *options])
            # Whole or not at all: tables are made while runs go on.
            write_json(run.program_file, describe_program())
        # The minutes of the training belong to its machine, wherever it is tested.
        if not trained or not run.machine_file.is_file():
            run.machine_file.write_text(describe_machine(self.threads), encoding='utf-8')
        # First, since the run counts as finished once it has the others.
        missing = self._extra(run, config)
        for test in run.tests:
            if not run.metrics_file(test).is_file():
                self._test(run, test, config)
        run.keep()
        if missing is not None:
            raise missing

    def _extra(self, run: Run, config: Path) -> RuntimeError | None:
        """Makes the tests that a run can be finished without; the failure if one failed."""
        try:
            for test in run.extra:
                if not run.metrics_file(test).is_file():
                    self._test(run, test, config)
        except RuntimeError as error:
            return error
        return None

    def _test(self, run: Run, test: str, config: Path) -> None:
        part = run.metrics_file(test).with_suffix('.part')
        options = ['--work-dir', str(run.folder / 'test'), '--out', str(part), *TESTS[test]]
        metric = next(iter(wsss_metrics(run.config)))
        options += ['--cfg-options', f'{metric}.out_file={run.classes_file(test)}']
        self.call(run, 'test.py', [str(config), str(run.checkpoint), *options])
        part.replace(run.metrics_file(test))

    def call(self, run: Run, script: str, arguments: Sequence[str]) -> None:
        """Runs a command line, whose output is appended to a log in the run's folder.

        Args:
            run: The run.
            script: Name of the command line.
            arguments: Its arguments.

        Raises:
            RuntimeError: If it fails; the message has the end of its output.
        """
        log = run.folder / f'{script}.log'
        names = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')
        environment = {**os.environ, **dict.fromkeys(names, str(self.threads))}
        command = [sys.executable, str(self.tools / script), *arguments]
        with log.open('a', encoding='utf-8') as stream:
            status = self._children.call(
                command, stdout=stream, stderr=subprocess.STDOUT, env=environment
            )
        if status != 0:
            tail = '\n'.join(log.read_text(encoding='utf-8').splitlines()[-15:])
            raise RuntimeError(f'{script} of {run.name} failed, see {log}:\n{tail}')

    def stop(self) -> None:
        """Ends the processes that run; the executor starts no more."""
        self._children.stop()
