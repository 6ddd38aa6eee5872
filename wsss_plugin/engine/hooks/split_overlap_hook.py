"""Says where a training is scored on images that it learns from."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.errors import DataError, listed


@HOOKS.register_module()
class SplitOverlapHook(Hook):
    """Compares the images of the validation with those of the training, before it begins.

    Args:
        refuse (bool): Whether images in both are an error; otherwise they are a warning, for those
            who score a method on its training images.
    """

    def __init__(self, refuse: bool = False) -> None:
        self.refuse = refuse

    def before_train(self, runner: Runner) -> None:
        """Looks for images in both.

        Args:
            runner (Runner): The running loop's owner.

        Raises:
            DataError: If there are some and ``refuse`` is True.
        """
        if runner.val_loop is None:
            return
        trained, scored = (
            _images(loop.dataloader.dataset) for loop in (runner.train_loop, runner.val_loop)
        )
        shared = sorted(trained & scored)
        if not shared:
            return
        text = (
            'train_dataloader.dataset: expected other images than val_dataloader.dataset, received '
            f'{len(shared)} of its {len(scored)}, among them '
            f'{listed([Path(one).name for one in shared], 3)}: they are trained on by their tags, '
            'and scores on them say nothing of new images; name the images of each by list_file'
        )
        if self.refuse:
            raise DataError(f'{text} (train_list and val_list of configs/own_data.py)')
        print_log(text, logger='current', level=logging.WARNING)


def _images(dataset: Any) -> set[str]:
    """Paths of the images of a data set, none where it does not say them."""
    if not hasattr(dataset, 'get_data_info'):
        return set()
    # Other data sets of the toolbox may have samples of several images.
    paths = (dataset.get_data_info(index).get('img_path') for index in range(len(dataset)))
    return {str(Path(path).absolute()) for path in paths if isinstance(path, str)}
