from pathlib import Path

import plain_formulations
import pytest
import torch

from wsss_plugin.engine.benchmark import Workload
from wsss_plugin.engine.device_check import DTYPES, compare_steps, measure_training
from wsss_plugin.errors import ConfigError

_CONFIG = Path(__file__).parents[3] / 'configs' / '_base_' / 'models' / 'toco_vit_b.py'


@pytest.fixture
def load():
    return Workload(str(_CONFIG), 'test_vit', 32, 16, 1, 'cpu', 0)


def test_an_iteration_is_measured_in_each_formulation(load):
    for variant in ('package', 'plain'):
        cost = measure_training(load, 'bfloat16', variant, plain_formulations.training_losses, 1)
        assert cost['seconds'] > 0
        assert cost['images_per_second'] == pytest.approx(1 / cost['seconds'])
        assert cost['peak_mb'] > 50


def test_steps_in_two_precisions_begin_alike_and_learn(load):
    found = compare_steps(load, plain_formulations.training_losses, 3, ('float32', 'bfloat16'))
    one, other = found['losses'].values()
    assert len(one) == len(other) == 3
    assert one[0] == pytest.approx(other[0], rel=0.05)
    assert one[0] != other[0]
    assert one[-1] < one[0]
    assert found['last']['float32'] == pytest.approx(sum(one) / 3)
    assert 0 < found['relative_difference'] < 0.2


def test_an_unknown_precision_is_refused_and_tf32_is_put_back(load):
    with pytest.raises(ConfigError, match="received 'half'"):
        measure_training(load, 'half', 'package', plain_formulations.training_losses, 1)
    before = torch.backends.cuda.matmul.allow_tf32
    measure_training(load, 'tf32', 'package', plain_formulations.training_losses, 1)
    assert torch.backends.cuda.matmul.allow_tf32 is before
    assert set(DTYPES) == {'float32', 'tf32', 'bfloat16', 'float16'}
