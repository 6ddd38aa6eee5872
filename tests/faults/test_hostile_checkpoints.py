"""No checkpoint runs code, wherever it comes from."""

from __future__ import annotations

import os
import pickle

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader, checkpoint

from wsss_plugin import compat
from wsss_plugin.engine.config_text import parse_config_text
from wsss_plugin.engine.run_identity import RunCheckpoint


class _Code:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


@pytest.fixture(autouse=True)
def _not_trusted(monkeypatch):
    monkeypatch.delenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', raising=False)
    monkeypatch.delenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', raising=False)


def _write(path, content, style):
    if style == 'pickle':
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=style == 'zip')


STYLES = ('zip', 'legacy', 'pickle')


@pytest.mark.parametrize('style', STYLES)
@pytest.mark.parametrize('scheme', ['http', 'openmmlab', 'torchvision', 'mmcls', 'local'])
def test_code_in_a_checkpoint_does_not_run(served, tmp_path, monkeypatch, scheme, style):
    folder, address = served
    _write(folder / 'a.pth', {'state_dict': {'a': _Code(tmp_path / 'ran')}}, style)
    url = f'{address}/a.pth'
    for zoo in ('get_external_models', 'get_torchvision_models', 'get_mmcls_models'):
        monkeypatch.setattr(checkpoint, zoo, lambda: {'a': url})
    name = {'http': url, 'local': str(folder / 'a.pth')}.get(scheme, f'{scheme}://a')
    with pytest.raises(
        RuntimeError, match=r'expected .*a.*pickled objects|cannot be (read|loaded)'
    ):
        CheckpointLoader.load_checkpoint(name)
    assert not (tmp_path / 'ran').exists()
    assert 'TORCH_FORCE_WEIGHTS_ONLY_LOAD' not in os.environ


@pytest.mark.parametrize('style', STYLES[:2])
def test_weights_from_an_address_load(served, style):
    folder, address = served
    _write(folder / 'a.pth', {'state_dict': {'a': torch.ones(2)}, 'meta': {}}, style)
    loaded = CheckpointLoader.load_checkpoint(f'{address}/a.pth')
    assert torch.equal(loaded['state_dict']['a'], torch.ones(2))


def test_an_address_that_does_not_answer_is_named(served):
    with pytest.raises(RuntimeError, match=r'expected a complete checkpoint at http.*nowhere\.pth'):
        CheckpointLoader.load_checkpoint(f'{served[1]}/nowhere.pth')


def test_an_address_may_be_trusted(served, tmp_path, monkeypatch):
    folder, address = served
    _write(folder / 'a.pth', {'state_dict': {}, 'b': _Code(tmp_path / 'ran')}, 'zip')
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    CheckpointLoader.load_checkpoint(f'{address}/a.pth')
    assert (tmp_path / 'ran').exists()


def test_every_load_inside_reads_data_only(tmp_path):
    """As for packages that ask for the opposite."""
    _write(tmp_path / 'a.pth', {'a': _Code(tmp_path / 'ran')}, 'zip')
    with compat.data_only(), pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'a.pth', weights_only=False)
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('style', STYLES)
def test_looking_for_the_latest_runs_nothing(tmp_path, style):
    _write(tmp_path / 'iter_4.pth', {'meta': _Code(tmp_path / 'ran')}, style)
    with pytest.raises(RuntimeError, match=r'iter_4\.pth'):
        RunCheckpoint.read(tmp_path / 'iter_4.pth')
    assert not (tmp_path / 'ran').exists()


def test_the_text_of_a_config_in_a_checkpoint_does_not_reach_the_toolbox(tmp_path):
    """Resuming would run it, to compare numbers of GPUs."""
    text = f"open({str(tmp_path / 'ran')!r}, 'w')"
    torch.save({'state_dict': {}, 'meta': {'config': text, 'iter': 1}}, tmp_path / 'a.pth')
    loaded = CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
    assert loaded['meta'] == {'iter': 1}


@pytest.mark.parametrize(
    'text',
    [
        "open('{}', 'w')",
        "a = open('{}', 'w')",
        "a = dict(b=[open('{}', 'w')])",
        "import pathlib; pathlib.Path('{}').touch()",
        "a = __import__('os').system('touch {}')",
        'a = f\'{{open("{}", "w")}}\'',
        "a = [open('{}', 'w') for _ in range(1)]",
        "a = (lambda: open('{}', 'w'))()",
        "def dict(**_): open('{}', 'w')\na = dict()",
        "@open\ndef a(): '{}'",
        "a = dict(**dict(open('{}', 'w')))",
        "_base_ = ['{}'].append(1)",
        "a = dict([('{}', 1)])",
        'a = ' + '(' * 10_000,
        'a = ' + '-' * 100_000 + '1',
        'a = b',
        'a, b = 1, 2',
        'a = {**{}}',
        'a = {[]: 1}',
        'a = ...',
        'text = 1',
        'a = "\x00"',
    ],
)
def test_the_text_of_a_config_is_never_run(tmp_path, text):
    file = tmp_path / 'ran'
    with pytest.raises(ValueError, match=r'config of a\.pth.*not run.*name the'):
        parse_config_text(text.replace('{}', str(file)), 'a.pth')
    assert not file.exists()


def test_a_config_comes_back_as_it_was():
    values = dict(
        words="it's\n",
        numbers=[1, -2.5, 1e-3, True, None],
        nested=dict(a=dict(b=[dict(c=(1, 2)), ()]), empty={}),
        keys={'backbone.vit': dict(lr=1.0), 'x': 2},
        limits=dict(low=-float('inf'), high=float('inf')),
    )
    assert parse_config_text(Config(values).pretty_text).to_dict() == values
    with pytest.raises(ValueError, match='received a NoneType'):
        parse_config_text(None)


@pytest.mark.parametrize(
    'content',
    [
        [1, 2],
        'text',
        3,
        torch.ones(2),
        {'state_dict': [1]},
        {'state_dict': 'x'},
        {'state_dict': {}, 'meta': [1]},
    ],
)
def test_what_is_no_checkpoint_is_named(tmp_path, content):
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(RuntimeError, match=r'expected a checkpoint in .*a\.pth.*received a \w+'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'a.pth'))
