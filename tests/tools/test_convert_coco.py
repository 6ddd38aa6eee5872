from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

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
    ]


@pytest.fixture
def content() -> dict:
    return {
        'images': [
            {'id': 1, 'file_name': 'a.jpg', 'height': 8, 'width': 10},
            {'id': 2, 'file_name': 'b.jpg', 'height': 5, 'width': 4},
        ],
        'annotations': [{**item, 'image_id': 1} for item in _instances()],
        'categories': [{'id': number, 'name': str(number)} for number in (9, 2, 5)],
    }


def test_converts_and_keeps_what_exists(tool, tmp_path, capsys, content):
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


@pytest.mark.parametrize('key', ['height', 'width'])
def test_image_without_size(tool, tmp_path, capsys, content, key):
    del content['images'][1][key]
    _check_error(tool, tmp_path, capsys, content, f"expected '{key}' in image 2, received none")


@pytest.mark.parametrize('key', ['area', 'segmentation'])
def test_annotation_without_what_masks_need(tool, tmp_path, capsys, content, key):
    del content['annotations'][1][key]
    message = f"expected '{key}' in annotation 2, received none"
    _check_error(tool, tmp_path, capsys, content, message)


def test_unknown_category(tool, tmp_path, capsys, content):
    content['annotations'][1]['category_id'] = 3
    message = 'expected a category of the file in annotation 2, received category_id 3'
    _check_error(tool, tmp_path, capsys, content, message)


@pytest.mark.parametrize(
    'shape',
    [
        [],
        [[]],
        [[3, 3]],
        [[3, 3, 5, 5]],  # pycocotools would take it for a box
        [[3, 3, 5, 5, 6, 6, 7]],
        [*_square(3, 3, 5, 5), [1, 1, 2, 2]],
        [3, 3, 5, 3, 5, 5],
        ['a', 'b'],
        [[3, 3, 5, 3, 5, None]],
        'polygon',
        {'size': [8, 10]},
        {'size': [10, 8], 'counts': [0, 80]},
        {'size': [8, 10], 'counts': [0, 79]},
        {'size': [8, 10], 'counts': [0, 90, -10]},
    ],
)
def test_outline_that_cannot_be_drawn(tool, tmp_path, capsys, content, shape):
    content['annotations'][1]['segmentation'] = shape
    message = 'expected in annotation 2 polygons of three or more points, or run lengths'
    _check_error(tool, tmp_path, capsys, content, message)


def test_what_cannot_be_drawn_is_named_and_left_out(tool, tmp_path, capsys, content):
    content['annotations'][1]['segmentation'] = [[2, 2, 6, 6]]
    path = tmp_path / 'instances.json'
    path.write_text(json.dumps(content))
    assert tool['main']([str(path), str(tmp_path), '--workers', '1', '--skip-without-outline']) == 0
    assert 'annotation 2 has no outline' in capsys.readouterr().out
    expected = np.ones((8, 10))
    expected[3:5, 3:5] = 2
    assert np.array_equal(Image.open(tmp_path / 'a.png'), expected)


def _check_error(tool, tmp_path, capsys, content, message):
    path = tmp_path / 'instances.json'
    path.write_text(json.dumps(content))
    assert tool['main']([str(path), str(tmp_path / 'masks'), '--workers', '1']) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f'convert_coco: {path}: {message}')
    assert not (tmp_path / 'masks').exists()


def test_compressed_run_lengths(tool, tmp_path, content):
    encoded = coco_mask.encode(np.asfortranarray(np.eye(8, 10, dtype=np.uint8)))
    encoded['counts'] = encoded['counts'].decode()
    content['annotations'] = [{**content['annotations'][1], 'segmentation': encoded}]
    (tmp_path / 'instances.json').write_text(json.dumps(content))
    arguments = [str(tmp_path / 'instances.json'), str(tmp_path), '--workers', '1']
    assert tool['main'](arguments) == 0
    assert np.array_equal(Image.open(tmp_path / 'a.png'), np.eye(8, 10))
