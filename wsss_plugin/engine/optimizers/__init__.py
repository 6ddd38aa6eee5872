"""Several optimisers that step together."""

from wsss_plugin.engine.optimizers.heads import find_heads
from wsss_plugin.engine.optimizers.joint_optim_wrapper import JointOptimWrapper
from wsss_plugin.engine.optimizers.joint_optim_wrapper_constructor import (
    DualBranchOptimWrapperConstructor,
    JointOptimWrapperConstructor,
)
from wsss_plugin.engine.optimizers.joint_optimizer import JointOptimizer
from wsss_plugin.engine.optimizers.parameter_rules import ParameterRules

__all__ = [
    'DualBranchOptimWrapperConstructor',
    'JointOptimWrapper',
    'JointOptimWrapperConstructor',
    'JointOptimizer',
    'ParameterRules',
    'find_heads',
]
