"""Transforms of the data pipelines."""

from wsss_plugin.datasets.transforms.load_image_bands import LoadImageBands
from wsss_plugin.datasets.transforms.load_image_or_raise import LoadImageOrRaise
from wsss_plugin.datasets.transforms.multi_crop_views import MultiCropViews
from wsss_plugin.datasets.transforms.pack_wsss_inputs import PackWSSSInputs
from wsss_plugin.datasets.transforms.photometric_augmentation import PhotometricAugmentation
from wsss_plugin.datasets.transforms.random_photometric_operations import (
    RandomPhotometricOperations,
)
from wsss_plugin.datasets.transforms.random_scale_crop_with_box import RandomScaleCropWithBox
from wsss_plugin.datasets.transforms.view_recipe import ViewRecipe

__all__ = [
    'LoadImageBands',
    'LoadImageOrRaise',
    'MultiCropViews',
    'PackWSSSInputs',
    'PhotometricAugmentation',
    'RandomPhotometricOperations',
    'RandomScaleCropWithBox',
    'ViewRecipe',
]
