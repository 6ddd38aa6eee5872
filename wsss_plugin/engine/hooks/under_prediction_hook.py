"""Warns of a segmentor that has learnt the background."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.engine.checkpoint_fit import unwrapped
from wsss_plugin.engine.foreground_shares import (
    ForegroundShares,
    foreground_shares,
    labelled_item,
)
from wsss_plugin.errors import ConfigError, received


@HOOKS.register_module()
class UnderPredictionHook(Hook):
    """Compares the foreground that is predicted with the foreground that is labelled.

    After the training, and at an interval if one is given, it looks at some training images and
    warns where less than a share of the labelled foreground is predicted, or none is labelled.

    Args:
        num (int): Number of training images at most, spread over the data set.
        share (float): Warns below this ratio of predicted to labelled foreground, in (0, 1].
        interval (int, optional): Iterations between two looks during the training; None for only
            one after it.

    Raises:
        ConfigError: If an argument is out of range.
    """

    def __init__(self, num: int = 50, share: float = 0.5, interval: int | None = None) -> None:
        for name, value, fits, meaning in (
            ('num', num, num >= 1, 'at least 1'),
            ('share', share, 0 < share <= 1, 'in (0, 1]'),
            ('interval', interval, interval is None or interval >= 1, 'at least 1, or None'),
        ):
            if not fits:
                raise ConfigError(
                    f'{name} of UnderPredictionHook: expected a number {meaning}, received '
                    f'{received(value)}; correct it'
                )
        self.num = num
        self.share = share
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        """Checks that there is something to compare.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            ConfigError: If the model predicts no segmentation, or the images have no labels.
        """
        model = unwrapped(runner.model)
        if not hasattr(model, 'encode_decode'):
            raise ConfigError(
                'custom_hooks: expected a segmentor for UnderPredictionHook, received a model of '
                f'type {type(model).__name__} without encode_decode; leave the hook out'
            )
        labelled_item(runner.train_dataloader.dataset, 0)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: Any = None,  # noqa: ARG002
    ) -> None:
        """Looks at the interval.

        Args:
            runner (Runner): The running loop's owner.
            batch_idx (int): Unused; the iteration counts.
            data_batch (Any): Unused.
            outputs (Any): Unused.
        """
        is_last = runner.iter + 1 >= runner.max_iters
        if self.interval and not is_last and self.every_n_train_iters(runner, self.interval):
            self._look(runner, runner.iter + 1)

    def after_train(self, runner: Runner) -> None:
        """Looks at what the training has come to.

        Args:
            runner (Runner): The running loop's owner.
        """
        self._look(runner, runner.iter)

    def _look(self, runner: Runner, iterations: int) -> None:
        dataset = runner.train_dataloader.dataset
        shares = foreground_shares(unwrapped(runner.model), dataset, self.num)
        text = (
            f'foreground on {shares.images} training images after {iterations} iterations: '
            f'{100 * shares.labelled:.1f} % of the pixels by their labels, '
            f'{100 * shares.predicted:.1f} % by prediction; {100 * shares.ignored:.1f} % have no '
            'label'
        )
        if self._is_enough(shares):
            print_log(text, logger='current')
            return
        print_log(
            f'{text}; expected at least {100 * self.share:.0f} % of the labelled foreground to be '
            'predicted: the segmentor learns the background. Usual causes: labels that ignore '
            'most of the foreground, or classes out of balance. Export labels that decide more '
            'pixels (--segmentation, or a lower --high), weigh the foreground more '
            '(loss_decode.class_weight), or train for longer',
            logger='current',
            level=logging.WARNING,
        )

    def _is_enough(self, shares: ForegroundShares) -> bool:
        return shares.labelled > 0 and shares.predicted >= self.share * shares.labelled
