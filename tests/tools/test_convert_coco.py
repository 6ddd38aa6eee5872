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
    assert tool['main']([str(tmp_path / 'other.json'), str(tmp_path / 'other.json')]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith('convert_coco: ') for line in lines] == [True, True, True]


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
    assert line.startswith(f'convert_coco: {path}: ')
    assert message in line
    assert not (tmp_path / 'masks').exists()


def test_compressed_run_lengths(tool, tmp_path, content):
    encoded = coco_mask.encode(np.asfortranarray(np.eye(8, 10, dtype=np.uint8)))
    encoded['counts'] = encoded['counts'].decode()
    content['annotations'] = [{**content['annotations'][1], 'segmentation': encoded}]
    (tmp_path / 'instances.json').write_text(json.dumps(content))
    arguments = [str(tmp_path / 'instances.json'), str(tmp_path), '--workers', '1']
    assert tool['main'](arguments) == 0
    assert np.array_equal(Image.open(tmp_path / 'a.png'), np.eye(8, 10))


@pytest.mark.parametrize(
    'name', ['../b.jpg', '/tmp/b.jpg', 'C:\\b.jpg', 'sub/../../b.jpg', '..\\b.jpg']
)
def test_names_that_would_lead_out_of_the_folder(tool, tmp_path, capsys, content, name):
    content['images'][1]['file_name'] = name
    _check_error(tool, tmp_path, capsys, content, 'image 2: expected the name of a file relative')


def test_links_that_lead_out_of_the_folder(tool, tmp_path, capsys, content):
    content['images'][1]['file_name'] = 'sub/b.jpg'
    (tmp_path / 'instances.json').write_text(json.dumps(content))
    for folder in ('masks', 'elsewhere'):
        (tmp_path / folder).mkdir()
    (tmp_path / 'masks/sub').symlink_to(tmp_path / 'elsewhere')
    arguments = [str(tmp_path / 'instances.json'), str(tmp_path / 'masks'), '--workers', '1']
    assert tool['main'](arguments) == 1
    assert 'image 2: expected a file in' in capsys.readouterr().err
    assert not list((tmp_path / 'elsewhere').iterdir())
    assert not (tmp_path / 'masks/a.png').exists()


@pytest.mark.parametrize(
    ('kind', 'change', 'message'),
    [
        ('images', {'height': 0}, "a whole number from 1 as 'height' in image 2, received 0"),
        ('images', {'width': '4'}, "a whole number from 1 as 'width' in image 2, received '4'"),
        ('images', {'width': 4.0}, "a whole number from 1 as 'width' in image 2, received 4.0"),
        ('images', {'height': 10**9}, 'at most 178956970 pixels in image 2, received 1000000000'),
        ('images', {'id': 1}, 'an id of its own for every image, received 1 twice'),
        ('images', {'file_name': 'a.png'}, 'one image for every file'),
        ('annotations', {'area': '4'}, "a number as 'area' in annotation 2, received '4'"),
        ('annotations', {'area': float('nan')}, "a number as 'area' in annotation 2, received nan"),
        ('annotations', {'image_id': 3}, 'an image of the file in annotation 2'),
    ],
)
def test_entries_that_masks_cannot_be_drawn_from(
    tool, tmp_path, capsys, content, kind, change, message
):
    content[kind][1].update(change)
    _check_error(tool, tmp_path, capsys, content, f'expected {message}')


def test_more_categories_than_eight_bits_hold(tool, tmp_path, capsys, content):
    content['categories'] = [{'id': number, 'name': f'c{number}'} for number in range(1, 256)]
    _check_error(tool, tmp_path, capsys, content, 'expected at most 254 categories, received 255')


def test_an_image_of_one_pixel(tool, tmp_path, content):
    content['images'] = [{'id': 1, 'file_name': 'a.jpg', 'height': 1, 'width': 1}]
    content['annotations'] = [
        {**content['annotations'][0], 'segmentation': {'size': [1, 1], 'counts': [0, 1]}}
    ]
    (tmp_path / 'instances.json').write_text(json.dumps(content))
    assert tool['main']([str(tmp_path / 'instances.json'), str(tmp_path), '--workers', '1']) == 0
    assert np.array_equal(Image.open(tmp_path / 'a.png'), [[2]])
