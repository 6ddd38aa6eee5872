"""One config of a table, trained with several seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from mmengine.config import Config

from wsss_plugin.engine.ablation.run import Run


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
        return _numbers(run.result.metrics.get(metric, math.nan) for run in self.runs if run.done)

    def over_activation(self, name: str) -> list[float]:
        """Over-activation of a class in percent, one value for each seed that has it."""
        done = [run.result.over_activation for run in self.runs if run.done]
        return _numbers(rates.get(name, math.nan) for rates in done)

    @property
    def minutes(self) -> list[float]:
        """Training times of the seeds that are finished."""
        times = [run.result.minutes for run in self.runs if run.done]
        return [minutes for minutes in times if minutes is not None]

    @property
    def is_cam(self) -> bool:
        """Whether the segmentation is a CAM, for want of a decoder."""
        return 'decode_head' not in self.config.model


def _numbers(values: Iterable[float]) -> list[float]:
    return [value for value in values if not math.isnan(value)]
