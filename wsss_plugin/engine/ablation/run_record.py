"""What is kept of a run once its checkpoints are gone."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class RunRecord:
    """The figures of a run that tables are made of; small enough for a repository.

    Attributes:
        tests: Metrics by name, None where a metric has no value, of each test by its name.
        over_activation: Over-activation of the segmentation by foreground class, in percent.
        minutes: Time of the training; None where unknown.
        machine: What it was trained on; empty where unknown.
        version: Version of this package that trained it; empty where unknown.
        commit: Its commit; empty where unknown.
        digest: Digest of the config that was trained, see :func:`content_key`.
        equal: Digests of configs that were shown to compute the same, such as those of the same
            config in the words of a later version.
        iou: IoU in percent by class of each prediction by its name; names of other tests than
            'metrics' begin with the test's.

    Examples:
        >>> kept = RunRecord(tests={'metrics': {'mIoU': 60.0}}, machine='a CPU')
        >>> kept.updated(RunRecord(tests={'multi_scale': {'mIoU': 62.0}})).metrics
        {'mIoU': 60.0, 'multi_scale/mIoU': 62.0}
    """

    tests: dict[str, dict[str, float | None]] = field(default_factory=dict)
    over_activation: dict[str, float] = field(default_factory=dict)
    minutes: float | None = None
    machine: str = ''
    version: str = ''
    commit: str = ''
    digest: str = ''
    equal: tuple[str, ...] = ()
    iou: dict[str, dict[str, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> RunRecord:
        """Reads a record.

        Args:
            path: File that :meth:`write` wrote.

        Returns:
            The record.

        Raises:
            ValueError: If the file holds something else; names it.
        """
        try:
            fields = json.loads(path.read_text(encoding='utf-8'))
            return cls(**{**fields, 'equal': tuple(fields.get('equal', ()))})
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(
                f'{path}: expected the record of a run, received other content ({error}); remove '
                'the file, and the run is made again'
            ) from error

    def write(self, path: Path) -> None:
        """Writes the record, whole or not at all.

        Args:
            path: File to write; its folder is made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix('.part')
        fields = asdict(self)
        if not self.iou:
            # Records of versions without it stay as they were.
            del fields['iou']
        # Classes keep the order of the data set.
        part.write_text(json.dumps(fields, indent=1) + '\n', encoding='utf-8')
        part.replace(path)

    def updated(self, later: RunRecord) -> RunRecord:
        """This record with what a later one knows.

        Args:
            later: Takes precedence where it has a value.

        Returns:
            Both together.
        """
        digest = later.digest or self.digest
        return RunRecord(
            tests={**self.tests, **later.tests},
            over_activation=later.over_activation or self.over_activation,
            minutes=self.minutes if later.minutes is None else later.minutes,
            machine=later.machine or self.machine,
            version=later.version or self.version,
            commit=later.commit or self.commit,
            digest=digest,
            equal=tuple(sorted({self.digest, *self.equal, *later.equal} - {digest, ''})),
            iou={**self.iou, **later.iou},
        )

    def is_of(self, digest: str) -> bool:
        """Whether its figures are those of a config.

        Args:
            digest: The config's digest.

        Returns:
            Whether it was trained, or one that computes the same.
        """
        return digest in (self.digest, *self.equal)

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics by name; those of other tests than 'metrics' begin with the test's name."""
        found = {}
        for test, values in self.tests.items():
            for name, value in values.items():
                found[prefixed(test, name)] = math.nan if value is None else value
        return found


def prefixed(test: str, name: str) -> str:
    """A name by which figures of several tests differ.

    Args:
        test: Name of the test.
        name: Name within it.

    Returns:
        The name.

    >>> prefixed('metrics', 'mIoU'), prefixed('train', 'mIoU')
    ('mIoU', 'train/mIoU')
    """
    return name if test == 'metrics' else f'{test}/{name}'
