from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from wsss_plugin.models.backbones import WideResNet38

_ENGINE = Path(__file__).parents[1] / 'engine' / 'mxnet_file.py'
_SPEC = importlib.util.spec_from_file_location('mxnet_file', _ENGINE)
mxnet_file = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(mxnet_file)


def mxnet_name(name: str) -> str:
    """A name of the published network as MXNet's file has it."""
    *block, layer, attribute = name.split('.')
    kinds = dict(running_mean='moving_mean', running_var='moving_var', bias='beta')
    norm = layer.startswith('bn')
    ending = kinds.get(attribute, 'gamma' if norm else 'weight')
    group = 'aux' if attribute.startswith('running') else 'arg'
    if not block:
        return f'{group}:{layer}_{ending}'
    level, _, number = block[0].removeprefix('b').partition('_')
    branch = layer.split('_')[1]
    place = f'{level}b{number}' if number else f'{level}a'
    return f'{group}:{"bn" if norm else "res"}{place}_{branch}_{ending}'


@pytest.fixture
def narrow(monkeypatch, tool):
    """The tool for a network of two channels, which is quick to write and read."""
    module = tool('convert_r38')
    monkeypatch.setattr(module, 'WideResNet38', lambda: WideResNet38(base_channels=2))
    network = WideResNet38(base_channels=2)
    state = {n: v for n, v in network.state_dict().items() if not n.endswith('tracked')}
    for value in state.values():
        torch.nn.init.normal_(value)
    return module, state


def arrays_of(state):
    return {mxnet_name(name): value.numpy() for name, value in state.items()}


def test_converted_weights_are_those_of_the_network(narrow, tmp_path, capsys):
    tool, state = narrow
    content = arrays_of(state) | {'arg:linear1000_weight': np.zeros((5, 4), dtype=np.float32)}
    assert {'arg:conv1a_weight', 'arg:res5b2_branch2b1_weight', 'aux:bn7_moving_var'} < set(content)
    (tmp_path / 'in.params').write_bytes(mxnet_file.file_bytes(content))
    out = tmp_path / 'new' / 'r38.pth'
    assert tool.main([str(tmp_path / 'in.params'), str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    network = WideResNet38(base_channels=2, pretrained=str(out))
    network.init_weights()
    for name, value in state.items():
        assert torch.equal(network.state_dict()[name], value)


def test_names_of_the_published_network(tool):
    renamed = tool('convert_r38').renamed
    with torch.device('meta'):
        names = [n for n in WideResNet38().state_dict() if not n.endswith('tracked')]
    assert len(names) == 191
    for name in names:
        assert renamed(mxnet_name(name)) == name
    assert renamed('arg:linear1000_bias') is None


def test_errors_are_one_line(narrow, tmp_path, capsys):
    tool, state = narrow
    out = str(tmp_path / 'r38.pth')
    assert tool.main([str(tmp_path / 'none.params'), out]) == 1
    (tmp_path / 'bad.params').write_bytes(b'nothing of the kind')
    assert tool.main([str(tmp_path / 'bad.params'), out]) == 1
    few = arrays_of(state)
    few.pop('arg:res3a_branch1_weight')
    few['arg:bn7_gamma'] = np.zeros(3, dtype=np.float32)
    (tmp_path / 'few.params').write_bytes(mxnet_file.file_bytes(few))
    assert tool.main([str(tmp_path / 'few.params'), out]) == 1
    (tmp_path / 'other.params').write_bytes(
        mxnet_file.file_bytes({'arg:stage1_weight': np.zeros(3, dtype=np.float32)})
    )
    assert tool.main([str(tmp_path / 'other.params'), out]) == 1
    lines = capsys.readouterr().err.splitlines()
    for line, part in zip(
        lines,
        ('no such file', 'cannot be read', "missing ['b3.conv_branch1.weight']", 'stage1_weight'),
        strict=True,
    ):
        assert line.startswith('convert_r38: ')
        assert part in line
    assert "of another shape ['bn7.weight']" in lines[2]
    assert not Path(out).exists()
