from __future__ import annotations

import copy
import json

import pytest

from wsss_plugin.datasets.coco_file import load_coco
from wsss_plugin.errors import DataError

_CONTENT = {
    'images': [{'id': 1, 'file_name': 'a.jpg'}, {'id': 2, 'file_name': 'sub\\b.jpg'}],
    'annotations': [
        {'id': 5, 'image_id': 1, 'category_id': 7},
        {'id': 6, 'image_id': 2, 'category_id': 9, 'iscrowd': None},
    ],
    'categories': [{'id': 7, 'name': 'cat'}, {'id': 9, 'name': 'dog'}],
}


@pytest.fixture
def load(tmp_path):
    def run(kind=None, number=0, **change):
        content = copy.deepcopy(_CONTENT)
        if kind:
            content[kind][number].update(change)
        (tmp_path / 'i.json').write_text(json.dumps(content))
        return load_coco(str(tmp_path / 'i.json'))

    return run


def test_names_have_slashes(load):
    assert load().imgs[2]['file_name'] == 'sub/b.jpg'


def test_ids_of_images_may_be_texts(tmp_path):
    content = copy.deepcopy(_CONTENT)
    for entry, key in ((content['images'], 'id'), (content['annotations'], 'image_id')):
        for item in entry:
            item[key] = f'img{item[key]}'
    (tmp_path / 'i.json').write_text(json.dumps(content))
    assert sorted(load_coco(str(tmp_path / 'i.json')).imgs) == ['img1', 'img2']


@pytest.mark.parametrize(
    ('kind', 'number', 'change', 'message'),
    [
        ('images', 1, {'id': 1}, 'of its own for every image, received 1 twice'),
        ('annotations', 1, {'id': 5}, 'of its own for every annotation, received 5 twice'),
        ('categories', 1, {'id': 7}, 'of its own for every category, received 7 twice'),
        ('images', 1, {'id': '2'}, "one type for every image, received 1 and '2'"),
        ('images', 1, {'id': 2.0}, r'received 2\.0 for number 1'),
        ('images', 1, {'id': True}, 'received True for number 1'),
        ('images', 1, {'id': None}, 'received None for number 1'),
        ('images', 1, {'id': [2]}, r'received \[2\] for number 1'),
        ('annotations', 0, {'image_id': '1'}, "annotation 5, received image_id '1'"),
        ('annotations', 0, {'image_id': 1.0}, r'annotation 5, received image_id 1\.0'),
        ('annotations', 0, {'image_id': {}}, 'annotation 5, received image_id {}'),
        ('annotations', 0, {'image_id': 3}, 'annotation 5, received image_id 3; add the image'),
        ('annotations', 0, {'category_id': '7'}, "annotation 5, received category_id '7'"),
        ('annotations', 0, {'category_id': [7]}, r'annotation 5, received category_id \[7\]'),
        ('annotations', 0, {'iscrowd': '0'}, "annotation 5, received '0'"),
        ('annotations', 0, {'iscrowd': [0]}, r'annotation 5, received \[0\]'),
        ('images', 1, {'file_name': 'a.jpg'}, r"'a\.jpg' in image 2 beside image 1"),
        ('images', 1, {'file_name': './a.jpg'}, r"'a\.jpg' in image 2 beside image 1"),
        ('images', 1, {'file_name': 'a.png'}, r"'a\.png' in image 2 beside image 1"),
        ('images', 1, {'file_name': '../a.png'}, r'image 2: .*lead elsewhere'),
        ('images', 1, {'file_name': '/a.png'}, r'image 2: .*lead elsewhere'),
        ('images', 1, {'file_name': ''}, "as 'file_name' in image 2, received ''"),
        ('images', 1, {'file_name': 7}, "as 'file_name' in image 2, received 7"),
        ('images', 1, {'file_name': '\ud800'}, r"as 'file_name' in image 2, received '\\ud800'"),
        ('categories', 1, {'name': 'cat'}, "received 'cat' with the ids 7 and 9"),
        ('categories', 1, {'name': 7}, "as 'name' in category 9, received 7"),
        ('categories', 1, {'name': ' '}, "as 'name' in category 9, received ' '"),
        ('categories', 1, {'name': '_background_'}, "'_background_' with id 9"),
    ],
)
def test_entries_that_collide_or_point_nowhere(load, kind, number, change, message):
    with pytest.raises(DataError, match=rf'i\.json: .*{message}'):
        load(kind, number, **change)


@pytest.mark.parametrize(
    'content',
    ['[]', '{}', 'null', '{"images": {}}', '{"images": [1], "annotations": [], "categories": [1]}'],
)
def test_other_structures(tmp_path, content):
    (tmp_path / 'i.json').write_text(content)
    with pytest.raises(DataError, match=r'i\.json: expected an instances JSON of COCO'):
        load_coco(str(tmp_path / 'i.json'))


@pytest.mark.parametrize('kind', ['images', 'categories'])
def test_nothing_to_learn_from(tmp_path, kind):
    content = {**_CONTENT, 'annotations': [], kind: []}
    (tmp_path / 'i.json').write_text(json.dumps(content))
    with pytest.raises(DataError, match=r'i\.json: expected at least one (image|category)'):
        load_coco(str(tmp_path / 'i.json'))
