"""Random numbers of a network that a resumed training draws alike."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.datasets.seeded_index import random_state


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seeds dropout and other draws of each iteration by run, process and iteration.

    A resumed training then drops what an uninterrupted one drops, and processes drop different
    parts. The generators of a CPU are put back after the iteration, so that what a data loader
    draws does not depend on the network.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._inside = ExitStack()

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None
    ) -> None:
        """Seeds the generators of Python, NumPy and PyTorch on all devices.

        Args:
            runner (Runner): Knows seed, process and iteration.
            batch_idx (int): Not used.
            data_batch (dict, optional): Not used.
        """
        del batch_idx, data_batch
        sequence = np.random.SeedSequence((runner.seed, runner.rank, runner.iter))
        seed = int(sequence.generate_state(1)[0])
        self._inside.enter_context(random_state(seed))
        torch.manual_seed(seed)  # also on accelerators, which random_state leaves alone

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Puts the states back that were there before the iteration.

        Args:
            runner (Runner): Not used.
            batch_idx (int): Not used.
            data_batch (dict, optional): Not used.
            outputs (dict, optional): Not used.
        """
        del runner, batch_idx, data_batch, outputs
        self._inside.close()
