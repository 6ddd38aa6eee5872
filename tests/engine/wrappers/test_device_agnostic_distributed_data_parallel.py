import pytest
import torch
from mmengine.model import is_model_wrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import distributed, nn

from wsss_plugin.engine.wrappers import DeviceAgnosticDistributedDataParallel


@pytest.fixture
def group(tmp_path):
    store = f'file://{tmp_path}/store'
    distributed.init_process_group('gloo', init_method=store, rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures('group')
def test_wraps_a_model_on_the_cpu_despite_device_ids():
    config = {
        'type': 'DeviceAgnosticDistributedDataParallel',
        'module': nn.Linear(2, 1),
        'device_ids': [0],
        'find_unused_parameters': True,
    }
    model = MODEL_WRAPPERS.build(config)
    assert isinstance(model, DeviceAgnosticDistributedDataParallel)
    assert is_model_wrapper(model)
    assert model.find_unused_parameters
    model(torch.ones(1, 2)).sum().backward()
    assert torch.equal(model.module.weight.grad, torch.ones(1, 2))
