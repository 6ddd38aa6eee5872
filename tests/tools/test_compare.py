import json

import numpy as np
import pytest

from wsss_plugin.errors import DataError, MissingFileError
from wsss_plugin.evaluation.label_png import save_label_png

_TRUE = np.array([[0, 0, 1, 1], [0, 2, 2, 255]])


@pytest.fixture
def folders(tmp_path):
    """Truth, perfect label maps, and some with a wrong and an undecided pixel."""
    wrong = _TRUE.copy()
    wrong[0, 3], wrong[0, 0] = 2, 255
    for name, label in (('truth', _TRUE), ('right', _TRUE.clip(max=2)), ('wrong', wrong)):
        (tmp_path / name).mkdir()
        for image in 'ab':
            save_label_png(tmp_path / name / f'{image}.png', label)
    return tmp_path


def _compare(tool, folders, *more):
    arguments = [str(folders / name) for name in ('wrong', 'right')]
    return tool('compare').main([*arguments, '--truth', str(folders / 'truth'), *more])


def test_undecided_pixels_count_for_neither(tool, folders, capsys):
    result = _compare(tool, folders)
    # Background 2 of 2, class 1 one of 2, class 2 two of 3.
    assert result.first == pytest.approx(100 * (1 + 1 / 2 + 2 / 3) / 3)
    assert result.second == 100
    assert result.images == 2
    assert 'it leaves out 0' in capsys.readouterr().out


def test_undecided_pixels_may_count_as_missed(tool, folders):
    result = _compare(tool, folders, '--undecided', 'wrong')
    assert result.first == pytest.approx(100 * (2 / 3 + 1 / 2 + 2 / 3) / 3)
    assert result.second == 100


def test_figures_are_written(tool, folders, tmp_path, capsys):
    result = _compare(tool, folders, '--out', str(tmp_path / 'figures.json'), '--resamples', '7')
    written = json.loads((tmp_path / 'figures.json').read_text())
    assert (written['first'], written['low']) == (result.first, result.low)
    assert f'Difference {result.difference:+.2f}' in capsys.readouterr().out


def test_other_images_are_refused_unless_listed(tool, folders, tmp_path):
    (folders / 'wrong' / 'b.png').unlink()
    with pytest.raises(DataError, match=r'wrong: expected a label map of every image.*b'):
        _compare(tool, folders)
    (tmp_path / 'list.txt').write_text('a\n')
    assert _compare(tool, folders, '--list', str(tmp_path / 'list.txt')).images == 1


def test_other_sizes_and_missing_masks_are_named(tool, folders):
    save_label_png(folders / 'right' / 'a.png', _TRUE[:1].clip(max=2))
    with pytest.raises(DataError, match=r'right/a\.png: expected a label map of the size'):
        _compare(tool, folders)
    (folders / 'truth' / 'a.png').unlink()
    with pytest.raises(MissingFileError, match=r'truth/a\.png'):
        _compare(tool, folders)


def test_an_empty_folder_is_named(tool, folders):
    for path in (folders / 'right').iterdir():
        path.unlink()
    with pytest.raises(MissingFileError, match='right: expected a folder of label maps'):
        _compare(tool, folders)


def test_command_line_errors(tool, capsys):
    with pytest.raises(SystemExit):
        tool('compare').parse_args(['a', 'b', '--truth', 'c', '--resamples', '0'])
    assert 'expected --resamples' in capsys.readouterr().err
