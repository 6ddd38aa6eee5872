from __future__ import annotations

import json

from mmseg.registry import DATASETS

from wsss_plugin.datasets import ShapesGenerator, ShapesTagDataset


def test_metainfo(shapes_root):
    dataset = DATASETS.build(
        {
            'type': 'ShapesTagDataset',
            'ann_file': 'ImageSets/Segmentation/val.txt',
            'data_root': str(shapes_root),
        }
    )
    assert isinstance(dataset, ShapesTagDataset)
    assert len(dataset) == 2
    assert dataset.metainfo['classes'] == ('background', *ShapesGenerator.CLASSES)
    assert dataset.metainfo['palette'] == [list(colour) for colour in ShapesGenerator.PALETTE]
    groups = json.loads((shapes_root / 'groups.json').read_text())
    assert [dataset[index]['groups'] for index in range(2)] == [
        tuple(groups[f'val_{index:05d}']) for index in range(2)
    ]


def test_groups_are_optional(shapes_root):
    dataset = ShapesTagDataset(
        'ImageSets/Segmentation/val.txt', groups_file=None, data_root=str(shapes_root)
    )
    assert dataset[0]['groups'] == ()
