import pytest
from mmengine.config import Config

from wsss_plugin.engine.config_reading.config_variables import evaluate
from wsss_plugin.engine.config_reading.read_config import read_config

_MODEL = """# Ä comment of more than one byte.
size, other = 8, 1
width = 3; depth = [
    1,
    2,
]
model = dict(size=width * 2, depth=depth)
"""
_LEAF = """_base_ = ['./parts/model.py',
          './parts/data.py']
model = dict(head={{_base_.model.size}}, crop=_base_.crop)
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'parts').mkdir()
    (tmp_path / 'parts' / 'model.py').write_text(_MODEL, encoding='utf-8')
    (tmp_path / 'parts' / 'data.py').write_text('crop = 32\ndata = dict(crop=crop)\n')
    (tmp_path / 'leaf.py').write_text(_LEAF)
    return tmp_path / 'leaf.py'


def test_all_that_follows_from_a_variable_moves(path):
    config = evaluate(path, dict(width=5, crop=[1, dict(a='ü')]))
    assert config.model.to_dict() == dict(size=10, depth=[1, 2], head=10, crop=[1, dict(a='ü')])
    assert config.data.crop == [1, dict(a='ü')]
    assert (config.filename, config.get('_filename')) == (str(path), None)
    assert evaluate(path, dict(depth=(7,))).model.depth == (7,)


def test_a_variable_that_several_files_assign_has_the_value_in_each(path):
    leaf = path.with_name('own.py')
    leaf.write_text("_base_ = './leaf.py'\nwidth = 9\nown = width + 1\n")
    config = evaluate(leaf, dict(width=4))
    assert (config.model.size, config.own, config.width) == (8, 5, 4)


def test_bases_of_this_package_are_followed_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    leaf = tmp_path / 'own.py'
    leaf.write_text("_base_ = ['wsss_plugin::own_data.py']\nclasses = ('background', 'a', 'b')\n")
    config = read_config('own.py')
    assert (config.model.decode_head.num_classes, config.model.cams.cnn.num_classes) == (3, 2)
    config = read_config('own.py', {'max_iters': 100, 'image_size': 96, 'classes': ('background',)})
    assert config.train_cfg.max_iters == config.param_scheduler.cnn[0].end - 1 == 100
    assert config.train_pipeline[1].crop_size == config.model.data_preprocessor.size[0] == 96
    assert config.model.decode_head.num_classes == 1
    leaf.write_text("_base_ = 'wsss_plugin::toco/voc.py'\n")
    config = read_config('own.py', {'crop_size': 64})
    assert config.train_pipeline[1].crop_size == 64


def test_bases_of_other_packages_stay_as_they_are(path, monkeypatch):
    find = Config._get_cfg_path

    def find_other(name, file):
        return (str(path), 'other') if name == 'other::leaf.py' else find(name, file)

    monkeypatch.setattr(Config, '_get_cfg_path', staticmethod(find_other))
    own = path.with_name('own.py')
    own.write_text("_base_ = ['other::leaf.py', './parts/more.py']\nmodel = dict(own=1)\n")
    (path.parent / 'parts' / 'more.py').write_text('more = 1\nmost = more + 1\n')
    config = evaluate(own, dict(width=5, more=2))
    assert (config.model.size, config.most) == (6, 3)


def test_refuses_what_cannot_be_written(path):
    with pytest.raises(ValueError, match='width: expected numbers, texts, lists and dicts'):
        evaluate(path, dict(width=object()))
    path.write_text('with read_base():\n    from .parts.model import *\n')
    with pytest.raises(ValueError, match='width: expected a config with _base_'):
        evaluate(path, dict(width=4))
