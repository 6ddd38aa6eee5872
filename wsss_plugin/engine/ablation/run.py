"""One training of a table, and its tests."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config

from wsss_plugin.engine.ablation.run_record import RunRecord, prefixed

# Arguments of tools/test.py by the name of the file of metrics.
TESTS = {
    'metrics': ('--cam', '--labels'),
    'multi_scale': ('--tta', '--crf'),
    'train': ('--cam', '--labels', '--split', 'train', '--num', '200'),
}


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Attributes:
        name: Text for the progress.
        folder: Folder of config, logs, checkpoints and metrics.
        config: The config with the seed.
        tests: Which of ``TESTS`` it needs to be finished.
        extra: Which are made beside them; what was finished without stays so.
        record_file: Where its figures are kept after the folder is gone; None for nowhere.
        digest: Digest of the config without the seed; a record counts if it is of this one.
    """

    name: str
    folder: Path
    config: Config = field(compare=False, repr=False)
    tests: tuple[str, ...] = ('metrics',)
    extra: tuple[str, ...] = ()
    record_file: Path | None = None
    digest: str = ''

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
        """What the run was trained on, present once it is trained."""
        return self.folder / 'machine.txt'

    @property
    def program_file(self) -> Path:
        """Version and commit that trained the run, present once it is trained."""
        return self.folder / 'program.json'

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
        return set(self.tests) <= set(self.result.tests)

    @property
    def result(self) -> RunRecord:
        """The figures of the run, of its folder and of its record."""
        kept = self._kept
        if kept is None or not kept.is_of(self.digest):
            kept = RunRecord()
        return kept.updated(self._found())

    @property
    def old(self) -> RunRecord | None:
        """The record of what the config was before it changed, if there is one."""
        kept = self._kept
        return None if kept is None or kept.is_of(self.digest) else kept

    @property
    def _kept(self) -> RunRecord | None:
        if self.record_file is None or not self.record_file.is_file():
            return None
        return RunRecord.read(self.record_file)

    def keep(self) -> None:
        """Writes the record, if the run has a place for it; an old one gives way."""
        if self.record_file is not None:
            self.result.write(self.record_file)

    def _found(self) -> RunRecord:
        """What the folder says."""
        files = {test: self.metrics_file(test) for test in (*self.extra, *self.tests)}
        tests = {test: _read(file) for test, file in files.items() if file.is_file()}
        program = _read(self.program_file) if self.program_file.is_file() else {}
        return RunRecord(
            tests=tests,
            over_activation=self._over_activation(),
            iou={key: value for test in tests for key, value in self._iou(test).items()},
            minutes=self._minutes(),
            machine=_text(self.machine_file),
            digest=self.digest if tests else '',
            **program,
        )

    def _classes(self, test: str) -> dict[str, dict]:
        """Rates by prediction, by class."""
        path = self.classes_file(test)
        # A test that still runs may be writing it; its metrics appear when it has ended.
        finished = self.metrics_file(test).is_file() and path.is_file()
        return _read(path)['classes'] if finished else {}

    def _iou(self, test: str) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        for name, fields in self._classes(test).items():
            for field_name, rates in fields.items():
                if rates.get('iou') is not None:
                    found.setdefault(prefixed(test, field_name), {})[name] = rates['iou']
        return found

    def _over_activation(self) -> dict[str, float]:
        classes = self._classes('metrics')
        rates = {name: fields['segmentation'] for name, fields in list(classes.items())[1:]}
        found = {name: rate.get('over_activation') for name, rate in rates.items()}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def reached(self) -> int:
        """The last iteration that the training has logged, 0 before the first."""
        return max((line.get('step', 0) for line in self._logged[-1:]), default=0)

    @property
    def _logged(self) -> list[dict]:
        logs = sorted(self.folder.glob('*/vis_data/scalars.json'))
        return [line for log in logs for line in _complete_lines(log)]

    def _minutes(self) -> float | None:
        """Time of the training by its log, without validation and checkpoints."""
        times = [line['time'] for line in self._logged if 'loss' in line and 'time' in line]
        return statistics.mean(times) * self.iterations / 60 if times else None


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding='utf-8'))


def _text(path: Path) -> str:
    return path.read_text(encoding='utf-8') if path.is_file() else ''


def _complete_lines(log: Path) -> list[dict]:
    # The last line may be half written.
    lines = log.read_text(encoding='utf-8').rpartition('\n')[0].splitlines()
    return [json.loads(line) for line in lines]
