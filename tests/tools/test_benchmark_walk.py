import pytest


def test_published_forms_agree(tool, tmp_path, capsys):
    out = tmp_path / 'walk.md'
    small = ['--size', '60', '76', '--channels', '16', '--repeats', '1', '--out', str(out)]
    tool('benchmark_walk').main(small)
    text = out.read_text()
    assert text in capsys.readouterr().out
    assert '| walk of 60 x 76, stride 8 |' in text
    assert '| class features, 2 x 16 channels |' in text
    assert '--repeats 1' in text


def test_forms_that_differ_are_not_compared(tool, monkeypatch):
    module = tool('benchmark_walk')
    monkeypatch.setattr(module, '_DOUBLINGS', 3)
    monkeypatch.setattr(module, 'class_features', lambda _, masks: masks.mean())
    with pytest.raises(RuntimeError, match='expected results that differ by at most'):
        module.main(['--size', '60', '76', '--channels', '16', '--repeats', '1'])


def test_command_line_errors(tool, capsys):
    with pytest.raises(SystemExit):
        tool('benchmark_walk').parse_args(['--repeats', '0'])
    assert 'expected numbers' in capsys.readouterr().err
