"""Resumes training without loading again what was trained on."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from mmseg.registry import HOOKS

from wsss_plugin import compat
from wsss_plugin.datasets.endless_samplers import require_end


@HOOKS.register_module()
class SkipTrainedDataHook(Hook):
    """Moves the sampler of a resumed training to where it was.

    The toolbox's loop over iterations would load and drop every batch again, which takes hours
    late in a training. Works for samplers with ``skip(num_samples)``, such as
    :class:`ReproducibleInfiniteSampler`; others are left to the toolbox. Refuses samplers without
    end where a training counts epochs.
    """

    def before_train(self, runner: Runner) -> None:
        """Skips what was trained on before.

        Args:
            runner (Runner): Has restored its checkpoint.

        Raises:
            ConfigError: The training counts epochs, and its sampler never ends.
        """
        loop = runner.train_loop
        require_end(loop)
        if isinstance(loop, IterBasedTrainLoop) and loop.iter > 0:
            compat.skip_trained_data(loop)
