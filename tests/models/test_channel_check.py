import pytest
import torch
from torch import nn

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.channel_check import check_channels
from wsss_plugin.models.data_preprocessors import MultiViewDataPreProcessor


@pytest.mark.parametrize('length', [1, 5])
def test_one_mean_for_all_channels_or_one_for_each(length):
    check_channels(nn.Conv2d(5, 2, 1), MultiViewDataPreProcessor([1] * length, [2] * length))


def test_other_numbers_are_refused():
    with pytest.raises(ConfigError, match=r'expected 5 values as mean and std.*received 3'):
        check_channels(nn.Conv2d(5, 2, 1), MultiViewDataPreProcessor([1] * 3, [2] * 3))


def test_a_plain_backbone_takes_weights_of_colours():
    backbone = nn.Sequential(nn.Conv2d(4, 2, 1))
    check_channels(backbone, MultiViewDataPreProcessor())
    backbone.load_state_dict({'0.weight': torch.ones(2, 3, 1, 1), '0.bias': torch.zeros(2)})
    assert torch.equal(backbone[0].weight, torch.full((2, 4, 1, 1), 0.75))
