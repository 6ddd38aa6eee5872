"""tools/score_labels.py on the real segmentor after one iteration, and its errors."""

import pytest


def _rows(text):
    lines = [line for line in text.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def test_table_of_cams_and_thresholds(run, shapes, checkpoint, capsys):
    flags = ['--num', '2', '--cams', 'final', 'final+cnn', '--low', '0.05', '--high', '0.02', '0.3']
    run('score_labels', shapes, flags=[*flags, '0.6'], checkpoint=checkpoint)
    head, _, *rows = _rows(capsys.readouterr().out)
    assert head[:4] == ['CAM', 'low', 'high', 'mIoU where labelled']
    # A high threshold below the low one makes no label.
    assert [row[:3] for row in rows] == [
        ['final', '0.05', '0.3'],
        ['final', '0.05', '0.6'],
        ['final+cnn', '0.05', '0.3'],
        ['final+cnn', '0.05', '0.6'],
    ]
    # Foreground is what scores above the high threshold: a higher one labels no more of it.
    pairs = zip(rows[::2], rows[1::2], strict=True)
    drops = [float(row[column]) - float(after[column]) for row, after in pairs for column in (5, 7)]
    assert min(drops) >= 0
    assert max(drops) > 0
    assert all(0 <= float(cell) <= 100 for row in rows for cell in row[4:])


def test_defaults_are_the_config_s(run, shapes, checkpoint, capsys):
    options = ('model.thresholds.low=0.07', 'model.thresholds.high=0.45')
    run('score_labels', shapes, *options, flags=['--num', '1'], checkpoint=checkpoint)
    _, _, *rows = _rows(capsys.readouterr().out)
    names = ['final', 'aux', 'cnn', 'final+aux+cnn']
    assert [row[:3] for row in rows] == [[name, '0.07', '0.45'] for name in names]


def test_unknown_cam(run, shapes, checkpoint):
    with pytest.raises(ValueError, match=r"among \['final', 'aux', 'cnn'\], received \['vit'\]"):
        run('score_labels', shapes, flags=['--cams', 'final+vit'], checkpoint=checkpoint)


def test_segmentor_without_pseudo_labels(tool, toy_config_file, tmp_path):
    arguments = [str(toy_config_file), str(tmp_path / 'none.pth'), '--work-dir', str(tmp_path)]
    with pytest.raises(TypeError, match='makes pseudo labels'):
        tool('score_labels').main(arguments)


def test_at_least_one_image(tool, capsys):
    with pytest.raises(SystemExit):
        tool('score_labels').parse_args(['a.py', 'a.pth', '--num', '0'])
    assert 'expected --num >= 1' in capsys.readouterr().err
