from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / 'configs' / '_base_' / 'models'
TINY = ['--model', 'test_vit', '--size', '64', '--batch-size', '2', '--repeats', '1']
TINY += ['--threads', '1', '--device', 'cpu']


@pytest.mark.parametrize(
    ('config', 'parts'),
    [
        ('toco_vit_b.py', ['iteration', 'par', 'evaluation']),
        ('dual_deit_tiny_mobilenet.py', ['iteration', 'evaluation']),
    ],
)
def test_equal_losses_and_a_row_per_part(tool, tmp_path, capsys, config, parts):
    out = tmp_path / 'docs' / 'table.md'
    options = ['--config', str(CONFIGS / config), '--parts', *parts, '--out', str(out)]
    assert tool('benchmark').main([*TINY, *options]) == 0
    report = out.read_text()
    assert report in capsys.readouterr().out
    (line,) = (line for line in report.splitlines() if 'difference of the losses' in line)
    assert float(line.split()[-1]) < 1e-4
    rows = {line.split('|')[1].strip() for line in report.splitlines() if line.startswith('| ')}
    expected = {'main forward', 'CAM passes', 'refinement', 'contrast passes', 'backward'}
    expected |= {'losses and labels', 'optimiser step', '**iteration**', 'part'}
    expected |= {'evaluation of an image'}
    expected |= {'PAR of the batch'} if 'par' in parts else {'CNN branch'}
    assert rows == expected
    assert '--parts iteration' in report


def test_memory_of_each_variant_in_its_own_process(tool, capsys):
    assert tool('benchmark').main([*TINY, '--parts', 'memory']) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if 'peak memory' in line)
    package, plain = (float(cell) for cell in row.split('|')[2:4])
    assert package > 100
    assert plain > 100


def test_losses_that_differ_are_refused(tool):
    difference = tool('benchmark').largest_difference
    assert difference({'a': 1.0}, {'a': 1.0 + 1e-6}) < 1e-5
    with pytest.raises(ValueError, match='equal losses'):
        difference({'a': 1.0}, {'a': 1.1})
    with pytest.raises(ValueError, match='equal losses'):
        difference({'a': float('nan')}, {'a': 1.0})
    with pytest.raises(ValueError, match='same losses'):
        difference({'a': 1.0}, {'b': 1.0})


def test_errors_are_one_line(tool, capsys):
    assert tool('benchmark').main([*TINY, '--local-size', '96', '--parts', 'par']) == 1
    assert capsys.readouterr().err.startswith('benchmark: expected 1 <= local size')
    with pytest.raises(SystemExit):
        tool('benchmark').main(['--repeats', '0'])


@pytest.mark.parametrize(('size', 'local'), [(448, 96), (224, 64), (64, 32)])
def test_local_crops_by_size(tool, size, local):
    assert tool('benchmark').default_local_size(size) == local
