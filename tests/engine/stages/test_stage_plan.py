from __future__ import annotations

from pathlib import Path

import pytest

from wsss_plugin.engine.stages import ExportStage, TrainStage, read_stages
from wsss_plugin.errors import ConfigError, MissingFileError

CONFIGS = Path(__file__).parents[3] / 'configs'
_TRAIN = "dict(train='train.py')"


@pytest.fixture
def read(tmp_path):
    (tmp_path / 'train.py').write_text('train_cfg = dict(max_iters=7)\nmodel = dict(a=1)\n')

    def read(text, options=None, name='stages.py'):
        (tmp_path / name).write_text(text)
        return read_stages(tmp_path / name, tmp_path / 'work', options)

    return read


def test_each_stands_behind_what_it_reads(read):
    text = f"stages = dict(labels=dict(export='cam'), cam={_TRAIN}, other={_TRAIN})"
    stages = read(text)
    assert list(stages) == ['cam', 'labels', 'other']
    assert isinstance(stages['labels'], ExportStage)
    assert stages['labels'].inputs == {'export': stages['cam']}


def test_a_config_adds_stages_to_its_base_and_removes_some(read):
    read(f"stages = dict(cam={_TRAIN}, labels=dict(export='cam'), test=dict(test='cam'))")
    text = (
        "_base_ = './stages.py'\n"
        "stages = dict(second=dict(train='train.py', load_from='cam'), "
        "labels=dict(export='second'), test=None)"
    )
    stages = read(text, name='longer.py')
    assert list(stages) == ['cam', 'second', 'labels']
    assert stages['labels'].inputs == {'export': stages['second']}


def test_options_are_of_a_stage(read):
    stages = read(f'stages = dict(a={_TRAIN}, b={_TRAIN})', {'b.train_cfg.max_iters': 3})
    assert [stage.output.name for stage in stages.values()] == ['iter_7.pth', 'iter_3.pth']
    for key in ('train_cfg.max_iters', 'a'):
        with pytest.raises(ConfigError, match=f'--cfg-options: .* stages a, received .{key}.'):
            read(f'stages = dict(a={_TRAIN})', {key: 3})


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a = 1', r'expected stages=dict\(name=dict'),
        ('stages = dict(a=None)', r'expected stages=dict\(name=dict'),
        ('stages = dict(a=1)', r'stages\.a: expected a dict with one of train, export, test'),
        ('stages = dict(a=dict())', r'stages\.a: expected a dict with one of'),
        ("stages = dict(a=dict(train='train.py', test='b'))", 'one of .* received train, test'),
        (f"stages = {{'a/b': {_TRAIN}}}", 'expected names of letters'),
        (f'stages = dict(records={_TRAIN})', 'expected names of letters'),
        (
            "stages = dict(a=dict(test='b'), b=dict(train='train.py', load_from='a'))",
            'received a, b, which read each other',
        ),
        ("stages = dict(a=dict(train='train.py', low=1))", r'stages\.a\.low: expected one of'),
        ("stages = dict(a=dict(test='b'))", r"stages\.a\.test: .* \(here none\).* received 'b'"),
        (
            f"stages = dict(a={_TRAIN}, b=dict(train='train.py', label_dir='a'))",
            r'stages\.b\.label_dir: expected an earlier stage that makes labels \(here none\)',
        ),
        ("stages = dict(a=dict(test='x/a.pth'))", r'stages\.a\.config: expected the path'),
        ("stages = dict(a=dict(train='train.py', options=3))", r'a\.options: expected values by'),
        (
            "stages = dict(a=dict(train='train.py', load_part='x/a.pth'))",
            r'stages\.a\.load_part: expected the names of modules',
        ),
        (
            "stages = dict(a=dict(train='train.py', cfg_options={'train_cfg.max_iters': None}))",
            r'expected train_cfg\.max_iters or max_epochs',
        ),
        (
            "stages = dict(a=dict(train='train.py', "
            "cfg_options={'default_hooks.checkpoint.out_dir': 'x'}))",
            r'received default_hooks\.checkpoint\.out_dir',
        ),
    ],
)
def test_what_is_not_understood(read, text, message):
    with pytest.raises(ConfigError, match=message):
        read(text)


def test_files_that_do_not_exist(read, tmp_path):
    with pytest.raises(MissingFileError, match='expected a config of stages'):
        read_stages(tmp_path / 'none.py', tmp_path)
    with pytest.raises(MissingFileError, match=r'stages\.a\.train: expected the path of a config'):
        read("stages = dict(a=dict(train='none.py'))")


@pytest.mark.parametrize('path', sorted((CONFIGS / 'stages').glob('*.py')), ids=lambda p: p.stem)
def test_chains_of_the_package(path, tmp_path):
    stages = read_stages(path, tmp_path)
    assert sum(isinstance(stage, TrainStage) for stage in stages.values()) >= 2
    assert len({stage.settings() for stage in stages.values()}) == len(stages)
    for stage in stages.values():
        assert {'model', 'train_dataloader', 'test_dataloader'} <= set(stage.config())
