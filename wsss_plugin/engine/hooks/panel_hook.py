"""Pictures of what a model sees, during its training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import ConfigDict
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import DATASETS, HOOKS

from wsss_plugin.datasets import spread_indices
from wsss_plugin.datasets.seeded_index import random_state
from wsss_plugin.engine.checkpoint_fit import unwrapped
from wsss_plugin.engine.drawn_model import predict_item, read_image, scored_cam_threshold
from wsss_plugin.engine.sample_scores import sample_scores
from wsss_plugin.engine.viewed_dataset import viewed_dataset
from wsss_plugin.errors import ConfigError, received
from wsss_plugin.visualization import contact_sheet, panel_from_sample

_TIMES = 5
_NAME = 'panels'


@HOOKS.register_module()
class PanelHook(Hook):
    """Draws images beside CAMs, pseudo labels and segmentation, some times during a training.

    A sheet goes to every backend of the visualizer: with ``LocalVisBackend`` it is
    ``vis_data/vis_image/panels_<iteration>.png``, with ``TensorboardVisBackend`` an image there. No
    random stream moves, so that the training is the same with and without it.

    Args:
        num (int): Number of images, spread over the data set.
        interval (int, optional): Iterations between two sheets; default: a fifth of the training.
        split (str): 'train', 'val' or 'test', whose data set is drawn by the test pipeline.

    Raises:
        ConfigError: If an argument is out of range.
    """

    # Before the weights of this iteration are changed by others, and before the log.
    priority = 'NORMAL'

    def __init__(self, num: int = 4, interval: int | None = None, split: str = 'val') -> None:
        for name, value in (('num', num), ('interval', interval)):
            if value is not None and value < 1:
                raise ConfigError(
                    f'{name} of PanelHook: expected a number of at least 1, received '
                    f'{received(value)}; correct it'
                )
        if split not in ('train', 'val', 'test'):
            raise ConfigError(
                f"split of PanelHook: expected 'train', 'val' or 'test', received {received(split)}"
            )
        self.num, self.interval, self.split = num, interval, split
        self._dataset: Any = None
        self._threshold = 0.5

    def before_train(self, runner: Runner) -> None:
        """Reads which images there are.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            ConfigError: If the config has no such data set.
        """
        if is_main_process():
            self._dataset = DATASETS.build(viewed_dataset(runner.cfg, self.split))
            self._threshold = scored_cam_threshold(runner.cfg)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: Any = None,  # noqa: ARG002
    ) -> None:
        """Draws at the interval and at the end.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        interval = self.interval or max(runner.max_iters // _TIMES, 1)
        is_last = runner.iter + 1 >= runner.max_iters
        if self._dataset is None or not (is_last or self.every_n_train_iters(runner, interval)):
            return
        with random_state(0), _drawing(unwrapped(runner.model)) as model:
            panels = [self._panel(model, index) for index in self._indices()]
        runner.visualizer.add_image(_NAME, contact_sheet(panels), step=runner.iter + 1)

    def _indices(self) -> Sequence[int]:
        return spread_indices(len(self._dataset), self.num)

    def _panel(self, model: Any, index: int) -> np.ndarray:
        sample = predict_item(model, self._dataset[index])
        meta, path = self._dataset.metainfo, str(sample.img_path)
        return panel_from_sample(
            read_image(path),
            sample,
            meta['classes'],
            meta.get('palette'),
            self._threshold,
            Path(path).stem,
            scores=sample_scores(sample, len(meta['classes']), self._threshold),
        )


@contextmanager
def _drawing(model: Any) -> Iterator[Any]:
    """The model in evaluation, with CAMs and pseudo labels among its predictions."""
    training, settings = model.training, model.test_cfg
    model.eval()
    model.test_cfg = ConfigDict({**(settings or {}), 'cam': True, 'pseudo_label': True})
    try:
        yield model
    finally:
        model.test_cfg = settings
        model.train(training)
