import pytest
from mmengine.config import Config

from wsss_plugin.engine.ablation import Run


@pytest.fixture
def run(tmp_path):
    """A training of seven iterations whose folder is there and empty."""
    folder = tmp_path / 'work' / 'seed_0'
    folder.mkdir(parents=True)
    config = Config(dict(train_cfg=dict(max_iters=7), test_evaluator=dict(type='WSSSMetric')))
    return Run('toy seed 0', folder, config)
