"""One config of a table, trained with several seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from mmengine.config import Config

from wsss_plugin.engine.ablation.run import Run
from wsss_plugin.engine.ablation.run_record import RunRecord
from wsss_plugin.engine.segmentor_kinds import predicts


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

    @property
    def records(self) -> list[RunRecord]:
        """What is shown: the seeds that are finished, or where none is, what is old of them.

        Figures of a config before and after a change are never mixed.
        """
        return [run.result for run in self.runs if run.done] or self._old

    @property
    def old_versions(self) -> tuple[str, ...]:
        """The versions whose old figures are shown; none where the figures are of the config."""
        if any(run.done for run in self.runs):
            return ()
        return tuple(dict.fromkeys(record.version or 'unknown' for record in self._old))

    @property
    def _old(self) -> list[RunRecord]:
        return [run.old for run in self.runs if run.old is not None]

    def values(self, metric: str) -> list[float]:
        """Values of a metric in percent, one for each seed that is shown and has it."""
        return _numbers(record.metrics.get(metric, math.nan) for record in self.records)

    def over_activation(self, name: str) -> list[float]:
        """Over-activation of a class in percent, one value for each seed that has it."""
        shown = [record.over_activation for record in self.records]
        return _numbers(rates.get(name, math.nan) for rates in shown)

    def iou(self, prediction: str, name: str) -> list[float]:
        """IoU of a class in percent, one value for each seed that has it."""
        shown = [record.iou.get(prediction, {}) for record in self.records]
        return _numbers(rates.get(name, math.nan) for rates in shown)

    @property
    def minutes(self) -> list[float]:
        """Training times of the seeds that are shown."""
        times = [record.minutes for record in self.records]
        return [minutes for minutes in times if minutes is not None]

    @property
    def is_cam(self) -> bool:
        """Whether the segmentation is a CAM, for want of a decoder."""
        return predicts(self.config.model)['segmentation'] == 'cam'


def _numbers(values: Iterable[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]
