"""Where tests compute, on a machine that seems to have a GPU, and which of them run."""

import importlib.metadata
import os
from types import SimpleNamespace

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


@pytest.mark.parametrize(
    ('continued', 'expression', 'kept'),
    [(False, 'not long', 2), (True, 'not long', 1), (True, 'training', 2)],
)
def test_trainings_run_on_one_toolbox(request, monkeypatch, continued, expression, kept):
    def version(distribution):
        if not continued:
            raise importlib.metadata.PackageNotFoundError(distribution)
        return '1.0'

    monkeypatch.setattr(importlib.metadata, 'version', version)
    (plugin,) = (
        module
        for module in request.config.pluginmanager.get_plugins()
        if getattr(module, '__file__', None) == str(request.path.parent / 'conftest.py')
    )
    removed = []
    hook = SimpleNamespace(pytest_deselected=lambda items: removed.extend(items))
    config = SimpleNamespace(option=SimpleNamespace(markexpr=expression), hook=hook)
    plain, training = (
        SimpleNamespace(get_closest_marker={'training': marker}.get) for marker in (None, 'x')
    )
    items = [plain, training]
    plugin.pytest_collection_modifyitems(config, items)
    assert len(items) == kept
    assert removed == [training][: 2 - kept]
    assert items[0] is plain
