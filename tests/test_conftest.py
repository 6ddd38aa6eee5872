"""Where tests compute, on a machine that seems to have a GPU."""

import os

import mmengine.device.utils
import pytest
import torch
from mmengine.device import get_device


@pytest.fixture(autouse=True, scope='module')
def _gpu():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, 'is_available', lambda: True)
        patch.setattr(mmengine.device.utils, 'DEVICE', 'cuda')
        patch.setenv('CUDA_VISIBLE_DEVICES', '0')
        yield


def test_tests_and_their_processes_use_the_cpu():
    assert get_device() == 'cpu'
    assert not torch.cuda.is_available()
    assert os.environ['CUDA_VISIBLE_DEVICES'] == ''


@pytest.mark.gpu
def test_marked_tests_see_the_gpu():
    assert get_device() == 'cuda'
    assert torch.cuda.is_available()
    assert os.environ['CUDA_VISIBLE_DEVICES'] == '0'
