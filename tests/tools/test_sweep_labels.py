import pytest


def test_values_are_read(tool):
    args = tool('sweep_labels').parse_args(['c.py', 'a.pth', '--values', 'alpha=4,16', 'steps=0'])
    assert args.values == {'alpha': [4, 16], 'steps': [0]}


@pytest.mark.parametrize('wrong', [['alpha'], ['alpha=x'], ['alpha=1', '--num', '0']])
def test_command_line_errors(tool, wrong, capsys):
    with pytest.raises(SystemExit):
        tool('sweep_labels').parse_args(['c.py', 'a.pth', '--values', *wrong])
    assert 'expected' in capsys.readouterr().err


def test_the_table_has_a_line_for_each_combination(tool):
    module = tool('sweep_labels')
    scores = dict.fromkeys(module.COLUMNS, 50.0) | {'mIoU': float('nan')}
    lines = module.table(['alpha', 'steps'], {(4.0, 0.5): scores}).splitlines()
    assert lines[0].startswith('| alpha | steps | mIoU')
    assert lines[2].startswith('| 4 | 0.5 |  | 50.0 |')
