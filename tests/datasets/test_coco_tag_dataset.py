from __future__ import annotations

import json

import pytest

from wsss_plugin.datasets import COCOTagDataset

_CATEGORIES = ((1, 'person'), (3, 'car'), (90, 'toothbrush'))


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'train2014').mkdir()
    content = {
        'images': [
            {'id': number, 'file_name': f'COCO_{number}.jpg', 'height': 8, 'width': 8}
            for number in (9, 4, 7, 5)
        ],
        'annotations': [
            {'id': 1, 'image_id': 9, 'category_id': 90, 'iscrowd': 0, 'area': 4},
            {'id': 2, 'image_id': 9, 'category_id': 1, 'iscrowd': 0, 'area': 4},
            {'id': 3, 'image_id': 9, 'category_id': 1, 'iscrowd': 0, 'area': 4},
            {'id': 4, 'image_id': 5, 'category_id': 3, 'iscrowd': 1, 'area': 4},
            {'id': 5, 'image_id': 4, 'category_id': 3, 'iscrowd': 0, 'area': 4},
        ],
        'categories': [{'id': number, 'name': name} for number, name in _CATEGORIES],
    }
    (tmp_path / 'instances.json').write_text(json.dumps(content))
    return tmp_path


def _build(root, **kwargs):
    prefix = {'img_path': 'train2014', 'seg_map_path': 'masks'}
    return COCOTagDataset('instances.json', data_root=str(root), data_prefix=prefix, **kwargs)


def _all_tags(dataset):
    samples = [dataset.get_data_info(index) for index in range(len(dataset))]
    return {
        sample['img_path'][-5:-4]: [dataset.tag_classes[n] for n in sample['tags']]
        for sample in samples
    }


def test_classes_are_the_80_things():
    classes = COCOTagDataset.METAINFO['classes']
    assert len(classes) == len(COCOTagDataset.METAINFO['palette']) == 81
    assert (classes[0], classes[1], classes[80]) == ('background', 'person', 'toothbrush')


def test_tags_without_empty_images(root, capsys):
    dataset = _build(root)
    assert _all_tags(dataset) == {'4': ['car'], '5': ['car'], '9': ['person', 'toothbrush']}
    assert dataset[2]['gt_tags'].nonzero()[0].tolist() == [0, 79]
    assert dataset[2]['img_path'] == str(root / 'train2014/COCO_9.jpg')
    assert capsys.readouterr().out == ''


def test_empty_images_and_crowds_by_option(root):
    assert _all_tags(_build(root, drop_empty=False))['7'] == []
    assert set(_all_tags(_build(root, use_crowd=False))) == {'4', '9'}


def test_masks_by_name(root):
    assert _build(root, test_mode=True)[0]['seg_map_path'] == str(root / 'masks/COCO_4.png')


def test_unknown_category(root):
    content = json.loads((root / 'instances.json').read_text())
    content['categories'][0]['name'] = 'robot'
    (root / 'instances.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"instances\.json: .*'robot' for image COCO_9"):
        _build(root)


@pytest.mark.parametrize('content', ['[]', '{"images": []}', 'no json', '{"images": [{"x": 1}]}'])
def test_other_json(root, content):
    (root / 'instances.json').write_text(content)
    with pytest.raises(ValueError, match=r'instances\.json: expected an instances JSON'):
        _build(root)
