"""Measurement of a training iteration; used by tools/benchmark.py."""

from wsss_plugin.engine.benchmark.comparison import Comparison
from wsss_plugin.engine.benchmark.part_timer import PartTimer
from wsss_plugin.engine.benchmark.trainee import VARIANTS, Trainee
from wsss_plugin.engine.benchmark.workload import Workload

__all__ = ['VARIANTS', 'Comparison', 'PartTimer', 'Trainee', 'Workload']
