"""A training of a few iterations of a config that has been made small."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image
from torch import Tensor, nn

import wsss_plugin  # noqa: F401  (fills the registries)

CONFIGS = Path(__file__).parents[1] / 'configs'
# Of the networks that the configs have, in a width at which an iteration takes a fraction of a
# second. Depth, and with it the number of frozen blocks, is the config's.
NARROW_VIT = dict(embed_dim=24, depth=12, num_heads=3)
NARROW_HEAD = dict(embed_channels=8, hidden_channels=8, channels=8)


class _Losses(Hook):
    """Keeps the losses of each iteration."""

    def __init__(self) -> None:
        self.kept: list[dict[str, float]] = []

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        del runner, batch_idx, data_batch
        self.kept.append({name: value.item() for name, value in outputs.items()})


def train(
    config: Config, work_dir: Path, iterations: int = 2
) -> tuple[nn.Module, dict[str, Tensor], list[dict[str, float]]]:
    """Trains without warm-up, validation and worker processes, all terms from the beginning.

    Args:
        config: The config.
        work_dir: Folder of the run.
        iterations: Number of iterations.

    Returns:
        The model, its weights before the training, and the losses by iteration.
    """
    init_default_scope('mmseg')
    config = copy.deepcopy(config)
    config.work_dir, config.experiment_name = str(work_dir), work_dir.name
    for split in ('val', 'test'):
        config.update({f'{split}_{key}': None for key in ('cfg', 'dataloader', 'evaluator')})
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=iterations)
    config.train_dataloader.update(num_workers=0, persistent_workers=False, batch_size=2)
    config.pop('param_scheduler')
    for term in (config.model.get('terms') or {}).values():
        if term is not None:
            term.start = 0
    # The runner prints the config five times, which takes longer than the training.
    with mock.patch.object(Config, 'pretty_text', ''):
        return _trained(config)


def _trained(config: Config) -> tuple[nn.Module, dict[str, Tensor], list[dict[str, float]]]:
    runner = Runner.from_cfg(config)
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    losses = _Losses()
    runner.register_hook(losses)
    runner.train()
    return runner.model, before, losses.kept


def changed(model: nn.Module, before: dict[str, Tensor]) -> set[str]:
    """The parts whose parameters are others than before, as 'backbone.cnn' or 'decode_head'."""
    names = [n for n, p in model.named_parameters() if not p.equal(before[n])]
    return {'.'.join(name.split('.')[:2]) for name in names}


def write_pictures(
    folder: Path, names: Sequence[str], size: tuple[int, int] = (80, 72), seed: int = 0
) -> None:
    """Writes pictures of noise.

    Args:
        folder: Their folder, which is made.
        names: Their names, with suffix.
        size: Height and width in pixels.
        seed: Of the noise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for name in names:
        picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / name)
