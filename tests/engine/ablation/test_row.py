import dataclasses

import pytest
from mmengine.config import Config

from wsss_plugin.engine.ablation import Row, Run
from wsss_plugin.engine.ablation.run_record import RunRecord

RECORDS = (
    RunRecord({'metrics': {'mIoU': 60.0, 'cam/mIoU': 50.0}}, {'cat': 20.0, 'dog': 10.0}, 30.0),
    RunRecord({'metrics': {'mIoU': 40.0, 'cam/mIoU': None}}, {'cat': 30.0}),
    RunRecord({'multi_scale': {'mIoU': 99.0}}, {'cat': 99.0}, 99.0),
)


@pytest.fixture
def row(tmp_path):
    """Three seeds: one with all figures, one without some, one that is not finished."""
    config = Config(dict(model=dict(type='EncoderDecoder', decode_head=dict())))
    runs = []
    for seed, record in enumerate(RECORDS):
        file = tmp_path / f'seed_{seed}.json'
        record.write(file)
        runs.append(Run(f'toy seed {seed}', tmp_path / 'work', config, record_file=file))
    return Row('toy', config, tuple(runs))


def test_values_of_the_finished_seeds(row):
    assert row.values('mIoU') == [60.0, 40.0]
    assert row.values('multi_scale/mIoU') == []
    assert row.over_activation('cat') == [20.0, 30.0]


def test_what_a_seed_has_not_is_left_out(row):
    assert row.values('cam/mIoU') == [50.0]
    assert row.over_activation('dog') == [10.0]
    assert row.minutes == [30.0]
    assert row.values('unknown') == row.over_activation('unknown') == []


def test_a_row_without_decoder_is_one_of_cams(row):
    assert not row.is_cam
    assert Row('cam', Config(dict(model=dict(type='WeakSegmentor'))), ()).is_cam


def _changed(row, *seeds):
    """The row after its config changed, seeds that were run again apart."""
    runs = (
        dataclasses.replace(run, digest='' if seed in seeds else 'new')
        for seed, run in enumerate(row.runs)
    )
    return dataclasses.replace(row, runs=tuple(runs))


def test_old_figures_are_shown_where_there_are_no_others(row):
    old = _changed(row)
    assert old.values('mIoU') == [60.0, 40.0]
    assert old.old_versions == ('unknown',)
    assert row.old_versions == ()


def test_old_and_new_figures_are_never_mixed(row):
    mixed = _changed(row, 1)
    assert mixed.values('mIoU') == [40.0]
    assert mixed.old_versions == ()
