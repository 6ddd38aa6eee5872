import pytest

from wsss_plugin.engine.config_reading.config_variables import evaluate

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


def test_refuses_what_cannot_be_written(path):
    with pytest.raises(ValueError, match='width: expected numbers, texts, lists and dicts'):
        evaluate(path, dict(width=object()))
    path.write_text('with read_base():\n    from .parts.model import *\n')
    with pytest.raises(ValueError, match='width: expected a config with _base_'):
        evaluate(path, dict(width=4))
