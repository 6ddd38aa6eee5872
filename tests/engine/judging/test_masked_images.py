"""Masks by the numbers of the data set, and how few are too few."""

import pytest
import torch

from wsss_plugin.engine.judging import MaskedImages
from wsss_plugin.errors import ConfigError


def test_numbers_of_the_masks_become_classes(coloured):
    config, _, folder = coloured
    config = config.copy()
    config.train_dataloader.dataset.mask_classes = ('blue', 'green', 'red')
    masked = MaskedImages(config, 'train', folder / 'masks', number=30)
    assert len(masked.names) == 30
    truth = masked.truth(masked.names[0])
    # The files say 1 on the left and 3 on the right.
    assert truth[0, 0] == 3
    assert truth[-1, -1] == 1
    assert truth.unique().tolist() == [0, 1, 3]
    assert truth.dtype == torch.int64


def test_refuses_a_number_that_is_too_small(coloured):
    config, _, folder = coloured
    with pytest.raises(ConfigError, match='30 images or more beside masks, received 29'):
        MaskedImages(config, 'train', folder / 'masks', number=29)
