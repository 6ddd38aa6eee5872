import json
import math

import pytest
from mmengine.config import Config

from wsss_plugin.engine.ablation import Row, Run


@pytest.fixture
def row(tmp_path):
    """Three seeds: one finished, one finished without over-activation of the dog, one open."""
    config = Config(dict(model=dict(decode_head=dict())))
    runs = []
    for seed, metrics in enumerate(({'mIoU': 60.0}, {'mIoU': 40.0, 'cam/mIoU': None}, None)):
        run = Run(f'toy seed {seed}', tmp_path / f'seed_{seed}', config)
        run.folder.mkdir()
        if metrics is not None:
            run.metrics_file('metrics').write_text(json.dumps(metrics))
            run.machine_file.write_text('here')
        runs.append(run)
    return Row('toy', config, tuple(runs))


def test_values_of_the_finished_seeds(row):
    assert row.values('mIoU') == [60.0, 40.0]


def test_what_a_seed_has_not_is_left_out(row):
    assert row.values('cam/mIoU') == []
    assert row.values('unknown') == []
    assert row.over_activation('dog') == []
    assert row.minutes == []


def test_a_row_without_decoder_is_one_of_cams(row):
    assert not row.is_cam
    assert Row('cam', Config(dict(model=dict())), ()).is_cam


def test_nothing_is_not_a_number(row):
    assert not any(math.isnan(value) for value in row.values('mIoU'))
