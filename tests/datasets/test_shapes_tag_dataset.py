from __future__ import annotations

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
    assert len(dataset.metainfo['palette']) == 7
    assert dataset[0]['groups']


def test_groups_are_optional(shapes_root):
    dataset = ShapesTagDataset(
        'ImageSets/Segmentation/val.txt', groups_file=None, data_root=str(shapes_root)
    )
    assert dataset[0]['groups'] == ()
