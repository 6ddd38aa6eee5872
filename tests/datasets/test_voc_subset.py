import json

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets import VOCSubset
from wsss_plugin.datasets.voc_subset import label_table

_CAT, _CHAIR, _PERSON = 8, 9, 15


@pytest.fixture
def voc(tmp_path):
    """One image of 40 x 20 pixels: cat, chair, person and an ignored border."""
    root = tmp_path / 'VOC2012'
    mask = np.zeros((20, 40), np.uint8)
    mask[:, 8:16], mask[:, 16:24], mask[:, 24:32], mask[:, 32:] = _CAT, _CHAIR, _PERSON, 255
    for folder in ('JPEGImages', 'SegmentationClass', 'SegmentationClassAug'):
        (root / folder).mkdir(parents=True)
    Image.new('RGB', (40, 20), (200, 30, 30)).save(root / 'JPEGImages' / 'a.jpg')
    Image.fromarray(mask).save(root / 'SegmentationClass' / 'a.png')
    Image.fromarray(mask * 0).save(root / 'SegmentationClassAug' / 'a.png')
    return root


def test_shrinks_relabels_and_tags(voc, tmp_path):
    out = tmp_path / 'out'
    VOCSubset(voc, ['person', 'cat'], long_side=20).write(out, {'val': ['a']})
    assert Image.open(out / 'JPEGImages' / 'a.jpg').size == (20, 10)
    # VOC's own mask counts, not SBD's.
    mask = np.asarray(Image.open(out / 'SegmentationClass' / 'a.png'))
    assert mask[0, ::4].tolist() == [0, 2, 0, 1, 255]
    content = json.loads((out / 'tags.json').read_text())
    assert content == {'classes': ['background', 'person', 'cat'], 'labels': {'a': [1, 2]}}
    assert (out / 'ImageSets' / 'Segmentation' / 'val.txt').read_text() == 'a\n'


def test_no_side_vanishes(voc, tmp_path):
    VOCSubset(voc, ['cat'], long_side=1).write(tmp_path / 'out', {'val': ['a']})
    assert Image.open(tmp_path / 'out' / 'JPEGImages' / 'a.jpg').size == (1, 1)


def test_the_source_is_not_overwritten(voc, tmp_path):
    (tmp_path / 'link').symlink_to(voc)
    before = (voc / 'JPEGImages' / 'a.jpg').read_bytes()
    for out in (voc, tmp_path / 'link'):
        with pytest.raises(ValueError, match=r'folder of its own.*name another'):
            VOCSubset(voc, ['cat'], long_side=1).write(out, {'val': ['a']})
    assert (voc / 'JPEGImages' / 'a.jpg').read_bytes() == before


def test_an_interrupted_second_run_keeps_no_tags_of_the_first(voc, tmp_path):
    VOCSubset(voc, ['cat']).write(tmp_path / 'out', {'val': ['a']})
    with pytest.raises(FileNotFoundError, match=r'b\.jpg'):
        VOCSubset(voc, ['person']).write(tmp_path / 'out', {'val': ['a', 'b']})
    assert not (tmp_path / 'out' / 'tags.json').exists()


def test_labels_follow_the_order_of_the_classes():
    assert label_table(['person', 'cat'])[[0, _CAT, _CHAIR, _PERSON, 255]].tolist() == [
        0,
        2,
        0,
        1,
        255,
    ]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(classes=['unicorn']), 'unicorn'),
        (dict(classes=['cat', 'cat']), 'different classes'),
        (dict(classes=['cat'], long_side=0), 'long side'),
        (dict(classes=['cat'], quality=96), 'quality'),
    ],
)
def test_errors(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        VOCSubset(tmp_path, **arguments)
