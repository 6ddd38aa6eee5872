"""Measurement of a training iteration, of evaluation and of export; used by tools/benchmark*.py."""

from wsss_plugin.engine.benchmark.comparison import Comparison
from wsss_plugin.engine.benchmark.labelling_rate import LabellingRate
from wsss_plugin.engine.benchmark.machine_rates import MachineRates
from wsss_plugin.engine.benchmark.operator_log import OperatorCall, OperatorLog
from wsss_plugin.engine.benchmark.part_timer import PartTimer
from wsss_plugin.engine.benchmark.product_shapes import ProductShape, operations, product_shapes
from wsss_plugin.engine.benchmark.time_limit import Cost, TimeLimit, limit_tables
from wsss_plugin.engine.benchmark.trainee import VARIANTS, Trainee
from wsss_plugin.engine.benchmark.workload import Workload

__all__ = [
    'VARIANTS',
    'Comparison',
    'Cost',
    'LabellingRate',
    'MachineRates',
    'OperatorCall',
    'OperatorLog',
    'PartTimer',
    'ProductShape',
    'TimeLimit',
    'Trainee',
    'Workload',
    'limit_tables',
    'operations',
    'product_shapes',
]
