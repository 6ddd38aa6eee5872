from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

_TOOL = Path(__file__).parents[2] / 'tools' / 'convert_coco.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(_TOOL))


def _square(left: int, top: int, right: int, bottom: int) -> list[list[int]]:
    return [[left, top, right, top, right, bottom, left, bottom]]


def _instances() -> list[dict]:
    # Runs count down the columns, starting with background.
    crowd = {'size': [8, 10], 'counts': [0, 80]}
    return [
        {'id': 1, 'category_id': 5, 'area': 4, 'iscrowd': 0, 'segmentation': _square(3, 3, 5, 5)},
        {'id': 2, 'category_id': 2, 'area': 16, 'iscrowd': 0, 'segmentation': _square(2, 2, 6, 6)},
        {'id': 3, 'category_id': 2, 'area': 80, 'iscrowd': 1, 'segmentation': crowd},
        {'id': 4, 'category_id': 9, 'area': 0, 'iscrowd': 0, 'segmentation': []},
    ]


@pytest.mark.parametrize(('crowd_label', 'outside'), [(-1, 1), (255, 255)])
def test_small_on_large_on_crowd(tool, crowd_label, outside):
    mask = tool['draw_mask'](8, 10, _instances(), {2: 1, 5: 2, 9: 3}, crowd_label)
    expected = np.full((8, 10), outside, np.uint8)
    expected[2:6, 2:6] = 1
    expected[3:5, 3:5] = 2
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, expected)


def test_no_instances(tool):
    assert not tool['draw_mask'](3, 4, [], {}).any()


def test_converts_and_keeps_what_exists(tool, tmp_path, capsys):
    content = {
        'images': [
            {'id': 1, 'file_name': 'a.jpg', 'height': 8, 'width': 10},
            {'id': 2, 'file_name': 'b.jpg', 'height': 5, 'width': 4},
        ],
        'annotations': [{**item, 'image_id': 1} for item in _instances()],
        'categories': [{'id': number, 'name': str(number)} for number in (9, 2, 5)],
    }
    (tmp_path / 'instances.json').write_text(json.dumps(content))
    arguments = [str(tmp_path / 'instances.json'), str(tmp_path / 'masks'), '--workers', '1']
    assert tool['main'](arguments) == 0
    mask = Image.open(tmp_path / 'masks/a.png')
    assert mask.mode == 'P'
    assert np.unique(mask).tolist() == [1, 2]
    assert np.asarray(Image.open(tmp_path / 'masks/b.png')).shape == (5, 4)
    assert sorted(path.name for path in (tmp_path / 'masks').iterdir()) == ['a.png', 'b.png']
    assert tool['main'](arguments) == 0
    assert '2 images, 2 masks exist' in capsys.readouterr().out


def test_errors_are_one_line(tool, tmp_path, capsys):
    assert tool['main']([str(tmp_path / 'nothing.json'), str(tmp_path)]) == 1
    (tmp_path / 'other.json').write_text('[]')
    assert tool['main']([str(tmp_path / 'other.json'), str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith('convert_coco: ') for line in lines] == [True, True]
