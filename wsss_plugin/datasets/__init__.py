"""Data sets, samplers and transforms."""

from wsss_plugin.datasets.coco_tag_dataset import COCOTagDataset
from wsss_plugin.datasets.image_tag_dataset import ImageTagDataset
from wsss_plugin.datasets.reproducible_infinite_sampler import ReproducibleInfiniteSampler
from wsss_plugin.datasets.seeded_index import SeededIndex
from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_generator import ShapesGenerator
from wsss_plugin.datasets.shapes_tag_dataset import ShapesTagDataset
from wsss_plugin.datasets.spread_indices import spread_indices
from wsss_plugin.datasets.tag_dataset import TagDataset
from wsss_plugin.datasets.transforms import (
    LoadImageBands,
    LoadImageOrRaise,
    MultiCropViews,
    PackWSSSInputs,
    PhotometricAugmentation,
    RandomPhotometricOperations,
    RandomScaleCropWithBox,
)
from wsss_plugin.datasets.voc_subset import VOCSubset
from wsss_plugin.datasets.voc_tag_dataset import VOCTagDataset

__all__ = [
    'COCOTagDataset',
    'ImageTagDataset',
    'LoadImageBands',
    'LoadImageOrRaise',
    'MultiCropViews',
    'PackWSSSInputs',
    'PhotometricAugmentation',
    'RandomPhotometricOperations',
    'RandomScaleCropWithBox',
    'ReproducibleInfiniteSampler',
    'SeededIndex',
    'ShapesConfig',
    'ShapesGenerator',
    'ShapesTagDataset',
    'TagDataset',
    'VOCSubset',
    'VOCTagDataset',
    'spread_indices',
]
