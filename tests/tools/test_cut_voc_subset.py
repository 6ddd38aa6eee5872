import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets import ImageTagDataset

CAT, PERSON, CHAIR, SHEEP = 8, 15, 9, 17
LISTS = Path(__file__).parents[2] / 'configs' / 'voc_animals'


@pytest.fixture
def voc(tmp_path):
    """Three images of 40 x 20 pixels, one of them with its mask in SBD's folder."""
    root = tmp_path / 'VOC2012'
    masks = {'a': (CAT, PERSON, 'SegmentationClass'), 'b': (CHAIR, SHEEP, 'SegmentationClassAug')}
    masks['c'] = (CHAIR, 255, 'SegmentationClass')
    (root / 'JPEGImages').mkdir(parents=True)
    for name, (left, right, folder) in masks.items():
        Image.new('RGB', (40, 20), (200, 30, 30)).save(root / 'JPEGImages' / f'{name}.jpg')
        mask = np.zeros((20, 40), np.uint8)
        mask[:10, :20], mask[:10, 20:] = left, right
        (root / folder).mkdir(exist_ok=True)
        Image.fromarray(mask).save(root / folder / f'{name}.png')
    (tmp_path / 'train.txt').write_text('b\na\n')
    (tmp_path / 'val.txt').write_text('c\n')
    return root


@pytest.fixture
def run(tool, voc, tmp_path):
    def cut(*options):
        lists = ['--list', str(tmp_path / 'train.txt'), str(tmp_path / 'val.txt')]
        arguments = [str(voc), str(tmp_path / 'out'), '--long-side', '20', *lists, *options]
        return tool('cut_voc_subset').main(arguments)

    return cut


def test_cuts_relabels_and_lists(run, tmp_path):
    assert run() == 0
    out = tmp_path / 'out'
    assert Image.open(out / 'JPEGImages/a.jpg').size == (20, 10)
    mask = Image.open(out / 'SegmentationClass/a.png')
    assert mask.mode == 'P'
    assert np.asarray(mask)[[0, 0, 9], [0, 19, 0]].tolist() == [1, 6, 0]
    assert np.unique(np.asarray(Image.open(out / 'SegmentationClass/c.png'))).tolist() == [0, 255]
    tags = json.loads((out / 'tags.json').read_text())
    assert tags['labels'] == {'a': [1, 6], 'b': [5], 'c': []}
    assert (out / 'ImageSets/Segmentation/train.txt').read_text() == 'b\na\n'


def test_data_set_reads_it(run, tmp_path):
    assert run('--classes', 'sheep', 'chair') == 0
    dataset = ImageTagDataset(
        'tags.json',
        data_root=str(tmp_path / 'out'),
        list_file='ImageSets/Segmentation/train.txt',
        data_prefix={'img_path': 'JPEGImages', 'seg_map_path': 'SegmentationClass'},
        metainfo={'classes': ('background', 'sheep', 'chair')},
    )
    assert [dataset[index]['gt_tags'].tolist() for index in range(2)] == [[0, 0], [1, 1]]


def test_small_images_are_not_enlarged(run, tmp_path):
    assert run('--long-side', '100') == 0
    assert Image.open(tmp_path / 'out/JPEGImages/a.jpg').size == (40, 20)


def test_the_lists_of_the_project(tool):
    train, val = ((LISTS / f'{split}.txt').read_text().split() for split in ('train', 'val'))
    assert (len(train), len(val)) == (1136, 445)
    assert not set(train) & set(val)
    assert tool('cut_voc_subset').parse_args(['VOC2012', 'out']).lists == [
        LISTS / 'train.txt',
        LISTS / 'val.txt',
    ]


def test_errors_are_one_line(run, voc, tmp_path, capsys):
    assert run('--classes', 'cat', 'unicorn') == 1
    assert run('--quality', '0') == 1
    (voc / 'SegmentationClassAug/b.png').unlink()
    assert run() == 1
    coloured = voc / 'SegmentationClass/a.png'
    Image.open(coloured).convert('RGB').save(coloured)
    assert run('--list', str(tmp_path / 'train.txt')) == 1
    (voc / 'JPEGImages/a.jpg').unlink()
    assert run() == 1
    assert run('--list', 'nothing.txt') == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith('cut_voc_subset: ') for line in lines] == [True] * 6
    expected = ('unicorn', 'quality', 'b.png.*SBD', 'a.png.*mode RGB', 'JPEGImages', 'nothing.txt')
    for line, words in zip(lines, expected, strict=True):
        assert all(word in line for word in words.split('.*'))
    assert not (tmp_path / 'out/tags.json').exists()
