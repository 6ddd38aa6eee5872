"""Several optimisers that step together."""

from wsss_plugin.engine.optimizers.dual_branch_optim_wrapper_constructor import (
    DualBranchOptimWrapperConstructor,
)
from wsss_plugin.engine.optimizers.joint_optim_wrapper import JointOptimWrapper
from wsss_plugin.engine.optimizers.joint_optimizer import JointOptimizer

__all__ = ['DualBranchOptimWrapperConstructor', 'JointOptimWrapper', 'JointOptimizer']
