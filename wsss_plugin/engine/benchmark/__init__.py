"""Measurement of a training iteration, of evaluation and of export; used by tools/benchmark*.py."""

from wsss_plugin.engine.benchmark.comparison import Comparison
from wsss_plugin.engine.benchmark.form_comparison import Forms, compare_forms
from wsss_plugin.engine.benchmark.joined_processes import (
    average_gradients,
    join_processes,
    measure_in_joined_processes,
)
from wsss_plugin.engine.benchmark.labelling_rate import LabellingRate
from wsss_plugin.engine.benchmark.machine_rates import MachineRates
from wsss_plugin.engine.benchmark.operator_log import OperatorCall, OperatorLog
from wsss_plugin.engine.benchmark.own_process import measure_in_own_process
from wsss_plugin.engine.benchmark.part_timer import PartTimer
from wsss_plugin.engine.benchmark.peak_memory import peak_memory
from wsss_plugin.engine.benchmark.product_shapes import ProductShape, operations, product_shapes
from wsss_plugin.engine.benchmark.report_text import publish, report_head, say_progress
from wsss_plugin.engine.benchmark.time_limit import Cost, TimeLimit, limit_tables
from wsss_plugin.engine.benchmark.trainee import VARIANTS, Trainee
from wsss_plugin.engine.benchmark.variant_comparison import (
    compare_evaluation,
    compare_iterations,
    compare_products,
    compare_refinements,
    largest_difference,
)
from wsss_plugin.engine.benchmark.workload import Workload

__all__ = [
    'VARIANTS',
    'Comparison',
    'Cost',
    'Forms',
    'LabellingRate',
    'MachineRates',
    'OperatorCall',
    'OperatorLog',
    'PartTimer',
    'ProductShape',
    'TimeLimit',
    'Trainee',
    'Workload',
    'average_gradients',
    'compare_evaluation',
    'compare_forms',
    'compare_iterations',
    'compare_products',
    'compare_refinements',
    'join_processes',
    'largest_difference',
    'limit_tables',
    'measure_in_joined_processes',
    'measure_in_own_process',
    'operations',
    'peak_memory',
    'product_shapes',
    'publish',
    'report_head',
    'say_progress',
]
