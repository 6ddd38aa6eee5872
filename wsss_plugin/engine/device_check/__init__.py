"""What is to be known of a training on another machine, in parts that end in time."""

from wsss_plugin.engine.device_check.check_part import CheckPart, run_parts
from wsss_plugin.engine.device_check.training_cost import (
    DTYPES,
    compare_steps,
    measure_training,
)

__all__ = ['DTYPES', 'CheckPart', 'compare_steps', 'measure_training', 'run_parts']
