import pytest

from wsss_plugin.engine.config_reading.read_config import read_config

_TEXT = """
max_iters = 100
crop = 32
unread = 1
train_pipeline = [dict(type='Crop', size=crop), dict(type='Pack')]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
model = dict(terms=dict(seg=dict(start=40)))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters)
"""
_TEMPLATE = """
names = ('background', 'cat')
length = 10
variables = ('names', 'length')
model = dict(num_classes=len(names), low=0.1)
train_cfg = dict(max_iters=length)
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / 'some.py'
    file.write_text(_TEXT)
    return file


@pytest.mark.parametrize('key', ['max_iters', 'train_cfg.max_iters'])
def test_the_length_moves_steps_and_explicit_options_go_before(path, key):
    config = read_config(path, {key: 10})
    assert (config.max_iters, config.train_cfg.max_iters) == (10, 10)
    assert config.model.terms.seg.start == 0.4
    assert read_config(path, {key: 10, 'model.terms.seg.start': 3}).model.terms.seg.start == 3


def test_steps_stay_where_that_is_asked_for(path):
    config = read_config(path, {'train_cfg.max_iters': 10, 'scale_steps': False})
    assert (config.train_cfg.max_iters, config.model.terms.seg.start) == (10, 40)


def test_what_follows_from_a_variable_moves(path):
    config = read_config(path, {'crop': 64})
    assert config.train_dataloader.dataset.pipeline[0].size == 64
    config = read_config(path, {'train_pipeline.0.size': 16, 'train_cfg.max_iters': 50})
    assert config.train_dataloader.dataset.pipeline[0].size == 16
    assert config.train_dataloader.dataset.pipeline[1].type == 'Pack'
    assert config.model.terms.seg.start == 0.4


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        ({'corp': 64}, r'corp: expected a key of the config .*did you mean crop\?'),
        ({'xyzzy': 64}, 'xyzzy: expected a key of the config .*see the config for its keys'),
        ({'unread': 2}, 'unread: expected a variable from which something .*nothing reads'),
        ({'max_iters': 3, 'train_cfg.max_iters': 4}, 'expected one length of the training'),
        ({'max_iters': 'x'}, 'max_iters: expected a whole number'),
    ],
)
def test_refuses_what_nothing_follows_from(path, options, match):
    with pytest.raises(ValueError, match=match):
        read_config(path, options)


def test_a_config_sets_the_variables_of_what_it_inherits_from(tmp_path):
    (tmp_path / 'template.py').write_text(_TEMPLATE)
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(
        "_base_ = './template.py'\nnames = ('background', 'a', 'b')\nmodel = dict(low=0.2)\n"
    )
    below = tmp_path / 'below.py'
    below.write_text("_base_ = './leaf.py'\nlength = 30\n")
    assert read_config(leaf).model.to_dict() == dict(num_classes=3, low=0.2)
    config = read_config(below)
    assert (config.model.num_classes, config.train_cfg.max_iters) == (3, 30)
    config = read_config(below, {'names': ('background',), 'length': 7})
    assert (config.model.num_classes, config.train_cfg.max_iters) == (1, 7)
    assert read_config(tmp_path / 'template.py').model.num_classes == 2
