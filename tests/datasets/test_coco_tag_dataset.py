from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from wsss_plugin.datasets import COCOTagDataset
from wsss_plugin.errors import DataError

_CATEGORIES = ((1, 'person'), (3, 'car'), (90, 'toothbrush'))
_TOOL = Path(__file__).parents[2] / 'tools' / 'convert_coco.py'


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
    assert dataset[2]['gt_tags'].nonzero()[0].tolist() == [0, 2]
    assert dataset[2]['img_path'] == str(root / 'train2014/COCO_9.jpg')
    assert capsys.readouterr().out == ''


def test_empty_images_and_crowds_by_option(root):
    assert _all_tags(_build(root, drop_empty=False))['7'] == []
    assert set(_all_tags(_build(root, use_crowd=False))) == {'4', '9'}


def test_masks_by_name(root):
    assert _build(root, test_mode=True)[0]['seg_map_path'] == str(root / 'masks/COCO_4.png')


def _change(root, change):
    content = json.loads((root / 'instances.json').read_text())
    change(content)
    (root / 'instances.json').write_text(json.dumps(content))


def test_classes_are_cocos_for_its_own_categories(root):
    names = COCOTagDataset.METAINFO['classes'][1:]
    # The ids have gaps, and the file need not be in their order.
    categories = [{'id': 1 + number + number // 9, 'name': n} for number, n in enumerate(names)]
    _change(root, lambda content: content.update(categories=categories[::-1], annotations=[]))
    dataset = _build(root, drop_empty=False)
    assert dataset.tag_classes == names
    assert dataset.metainfo['palette'] == COCOTagDataset.METAINFO['palette']
    assert dataset.label_map is None


def test_classes_are_the_files_otherwise(root):
    _change(root, lambda content: content['categories'][2].update(name='robot'))
    dataset = _build(root)
    assert dataset.metainfo['classes'] == ('background', 'person', 'car', 'robot')
    assert len(dataset.metainfo['palette']) == 4
    assert _all_tags(dataset)['9'] == ['person', 'robot']


def test_colours_are_cocos_for_its_names(root):
    colours = dict(zip(*COCOTagDataset.METAINFO.values(), strict=True))
    dataset = _build(root, metainfo={'classes': ('background', 'toothbrush', 'car')})
    expected = [colours[name] for name in dataset.metainfo['classes']]
    assert dataset.metainfo['palette'] == expected


@pytest.fixture
def drawn(root, write_image):
    """Objects of every category side by side, as masks of the tool."""

    def change(content):
        content['images'] = content['images'][:1]
        content['annotations'] = [
            {'id': left, 'image_id': 9, 'category_id': category, 'iscrowd': 0, 'area': 16}
            | {'segmentation': [[left, 0, left + 2, 0, left + 2, 8, left, 8]]}
            for left, category in ((0, 90), (2, 3), (4, 1))
        ]

    _change(root, change)
    write_image(root / 'train2014/COCO_9.jpg', 8, 8)
    main = runpy.run_path(str(_TOOL))['main']
    assert main([str(root / 'instances.json'), str(root / 'masks'), '--workers', '1']) == 0
    return root


@pytest.mark.parametrize(
    ('classes', 'expected'),
    [
        (None, [3, 2, 1, 0]),
        (('person', 'car', 'toothbrush'), [3, 2, 1, 0]),
        (('car', 'toothbrush', 'person'), [2, 1, 3, 0]),
        (('toothbrush', 'person'), [1, 255, 2, 0]),
        (('person', 'robot', 'car', 'toothbrush'), [4, 3, 1, 0]),
    ],
)
def test_masks_follow_the_categories_of_the_file(drawn, classes, expected):
    metainfo = classes and {'classes': ('background', *classes)}
    pipeline = [
        {'type': 'LoadImageOrRaise'},
        {'type': 'LoadAnnotations'},
        {'type': 'PackWSSSInputs'},
    ]
    data = _build(drawn, metainfo=metainfo, test_mode=True, pipeline=pipeline)[0]['data_samples']
    assert data.gt_sem_seg.data[0, 0, ::2].tolist() == expected
    present = [number + 1 for number, tag in enumerate(data.gt_tags.tolist()) if tag]
    assert present == sorted(set(expected) - {0, 255})


def test_masks_of_another_numbering(root):
    dataset = _build(root, mask_classes=('toothbrush', 'person', 'car'))
    assert dataset.label_map == {0: 0, 1: 3, 2: 1, 3: 2}


def test_misspelt_class(root):
    with pytest.raises(ValueError, match=r"json: .*persn, .*received 'person' for image"):
        _build(root, metainfo={'classes': ('background', 'car', 'persn', 'toothbrush')})


@pytest.mark.parametrize('encoding', ['cp1252', 'utf-16'])
def test_other_encodings_are_named(root, encoding):
    _change(root, lambda content: content['categories'][0].update(name='Kühe'))
    content = json.loads((root / 'instances.json').read_text())
    (root / 'instances.json').write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    with pytest.raises(ValueError, match=r'instances\.json: expected text in UTF-8'):
        _build(root)


@pytest.mark.parametrize(
    ('kind', 'change', 'message'),
    [
        ('annotations', {'category_id': 7}, 'annotation 2, received category_id 7'),
        ('images', {'file_name': None}, "expected 'file_name' in image 4"),
        ('categories', {'name': None}, "expected 'name' in category 3"),
    ],
)
def test_entries_that_are_not_understood(root, kind, change, message):
    _change(root, lambda content: content[kind][1].update(change))
    with pytest.raises(ValueError, match=rf'instances\.json: .*{message}'):
        _build(root)


def test_background_is_no_category(root):
    _change(root, lambda content: content['categories'].append({'id': 0, 'name': 'Background'}))
    with pytest.raises(ValueError, match=r"instances\.json: .*received 'Background' with id 0"):
        _build(root)


@pytest.mark.parametrize('lazy_init', [False, True])
def test_missing_file(root, lazy_init):
    with pytest.raises(FileNotFoundError, match='ann_file: expected a file at'):
        COCOTagDataset('other.json', data_root=str(root), lazy_init=lazy_init)
    with pytest.raises(FileNotFoundError, match='data_root: expected a folder'):
        COCOTagDataset('other.json', data_root=str(root / 'no'), lazy_init=lazy_init)


@pytest.mark.parametrize('content', ['[]', '{"images": []}', 'no json', '{"images": [{"x": 1}]}'])
def test_other_json(root, content):
    (root / 'instances.json').write_text(content)
    with pytest.raises(ValueError, match=r'instances\.json: expected (an instances )?JSON'):
        _build(root)


def test_categories_that_differ_in_spelling(root):
    _change(root, lambda content: content['categories'].append({'id': 91, 'name': 'Car'}))
    with pytest.raises(DataError, match=r"instances\.json: .*'car' among .* and 'Car'"):
        _build(root)
    dataset = _build(root, metainfo={'classes': ('background', 'Car', 'car')})
    assert _all_tags(dataset)['5'] == ['car']


def test_names_with_backslashes(root):
    _change(root, lambda content: content['images'][0].update(file_name='sub\\COCO_9.jpg'))
    assert _build(root)[2]['img_path'] == str(root / 'train2014/sub/COCO_9.jpg')
