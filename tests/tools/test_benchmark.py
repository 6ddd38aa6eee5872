from pathlib import Path

import pytest

CONFIGS = Path(__file__).parents[2] / 'configs'
MODELS = CONFIGS / '_base_' / 'models'
SMALL = ['--size', '64', '--batch-size', '2', '--repeats', '1', '--threads', '1', '--device', 'cpu']
TINY = ['--model', 'test_vit', *SMALL]
SHARED = {'part', 'main view', 'CAM passes', 'the rest', 'backward', 'optimiser step'}
SHARED |= {'**iteration**', 'evaluation of an image'}
TOCO = {'labels.pixel', 'labels.region', 'labels.token'}
TOCO |= {'terms.cls', 'terms.ctc', 'terms.ptc', 'terms.seg'}


def report_of(tool, tmp_path, capsys, *options):
    out = tmp_path / 'docs' / 'table.md'
    assert tool('benchmark').main([*options, '--out', str(out)]) == 0
    report = out.read_text()
    assert report in capsys.readouterr().out
    return report


def rows_of(report):
    return {line.split('|')[1].strip() for line in report.splitlines() if line.startswith('| ')}


@pytest.mark.parametrize(
    ('config', 'parts', 'expected'),
    [
        (
            '_base_/models/toco_vit_b.py',
            ['iteration', 'refinement', 'evaluation'],
            {'labels.pixel.refine of the batch'},
        ),
        (
            '_base_/models/dual_deit_tiny_mobilenet.py',
            ['iteration', 'evaluation'],
            {'terms.consistency'},
        ),
        (
            'toco/voc.py',
            ['iteration', 'evaluation', '--size', '32', '--local-size', '16'],
            {'terms.energy'},
        ),
    ],
)
def test_equal_losses_and_a_row_per_part(tool, tmp_path, capsys, config, parts, expected):
    options = ['--config', str(CONFIGS / config), '--parts', *parts]
    report = report_of(tool, tmp_path, capsys, *TINY, *options)
    (line,) = (line for line in report.splitlines() if 'difference of the losses' in line)
    assert float(line.split()[-1]) < 1e-4
    assert rows_of(report) == SHARED | TOCO | expected
    assert '--parts iteration' in report


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        ('clustercam/shapes.py', {'labels.pixel', 'terms.seg', 'CAM passes'}),
        ('mctformer/shapes.py', set()),
    ],
)
def test_equal_losses_of_class_tokens(tool, tmp_path, capsys, config, expected):
    options = ['--config', str(CONFIGS / config), '--parts', 'iteration', *SMALL]
    report = report_of(tool, tmp_path, capsys, *options)
    (line,) = (line for line in report.splitlines() if 'difference of the losses' in line)
    assert float(line.split()[-1]) < 1e-4
    common = SHARED - {'CAM passes', 'evaluation of an image'}
    assert rows_of(report) == common | {'terms.maps', 'terms.tokens'} | expected


def test_an_iteration_beside_two_of_another_config(tool, tmp_path, capsys):
    other = str(CONFIGS / 'ablations' / 'dupl' / 'one_student.py')
    options = ['--config', str(CONFIGS / 'dupl' / 'shapes.py'), '--against', '2', other]
    report = report_of(tool, tmp_path, capsys, *options, *SMALL)
    assert '| part | shapes [s] | 2 x one_student [s] | 2 x one_student / shapes |' in report
    assert rows_of(report) == {'part', 'iteration'}


def test_parts_of_both_students_are_timed(tool, tmp_path, capsys):
    options = ['--config', str(CONFIGS / 'dupl' / 'shapes.py'), '--parts', 'iteration']
    rows = rows_of(report_of(tool, tmp_path, capsys, *options, *SMALL))
    between = {'terms.apart', 'terms.cross', 'terms.ignored'}
    assert rows >= between | {'first.labels.pixel', 'second.labels.pixel', 'second.terms.ptc'}


def test_the_package_computes_no_more_than_the_plain_formulation(tool, tmp_path, capsys):
    report = report_of(tool, tmp_path, capsys, *TINY, '--parts', 'products')
    (row,) = (line for line in report.splitlines() if 'products of' in line)
    package, plain = (float(cell) for cell in row.split('|')[2:4])
    assert 0 < package < plain


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        ('cam/voc.py', {'terms.cls'}),
        ('voc_animals/supervised.py', {'labels.true', 'terms.seg'}),
    ],
)
def test_what_is_not_written_out_is_measured_alone(tool, tmp_path, capsys, config, expected):
    options = ['--config', str(CONFIGS / config), '--parts', 'iteration', 'evaluation', 'products']
    report = report_of(tool, tmp_path, capsys, *SMALL, *options)
    assert 'has no plain formulation' in report
    assert 'plain /' not in report
    rows = rows_of(report) - {'CAM passes'}
    assert rows == (SHARED - {'CAM passes'}) | expected | {'products of an iteration'}


def test_the_plain_formulation_can_be_left_out(tool, tmp_path, capsys):
    report = report_of(tool, tmp_path, capsys, *TINY, '--parts', 'iteration', '--alone')
    assert 'plain' not in report.partition('| part')[2]
    assert 'difference of the losses' not in report


def test_parts_beside_their_limit(tool, tmp_path, capsys):
    report = report_of(tool, tmp_path, capsys, *TINY, '--parts', 'limit', '--alone')
    rows = [line.split('|') for line in report.splitlines() if line.startswith('| ')]
    parts = {cells[1].strip(): cells[2:-1] for cells in rows if len(cells) == 8}
    assert {'main view', 'terms.seg', 'backward', '**all**'} <= parts.keys()
    operations, moved, limit, seconds, ratio = map(float, parts['**all**'])
    assert min(operations, moved, limit) > 0
    assert ratio == pytest.approx(seconds / limit, rel=0.02)
    assert '| operator | calls |' in report


def test_memory_of_each_variant_in_its_own_process(tool, capsys):
    assert tool('benchmark').main([*TINY, '--parts', 'memory']) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if 'peak memory' in line)
    package, plain = (float(cell) for cell in row.split('|')[2:4])
    assert package > 100
    assert plain > 100


def test_errors_are_one_line(tool, capsys):
    assert tool('benchmark').main([*TINY, '--local-size', '96', '--parts', 'refinement']) == 1
    assert capsys.readouterr().err.startswith('benchmark: expected 1 <= local size')
    with pytest.raises(SystemExit):
        tool('benchmark').main(['--repeats', '0'])


@pytest.mark.parametrize(('size', 'local'), [(448, 96), (224, 64), (64, 32)])
def test_local_crops_by_size(tool, size, local):
    assert tool('benchmark').default_local_size(size) == local
