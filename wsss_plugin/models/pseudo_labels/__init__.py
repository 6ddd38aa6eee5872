"""Label makers and what they use: thresholds, filters, refinement."""

from wsss_plugin.models.pseudo_labels.alpha_labels import AlphaLabels
from wsss_plugin.models.pseudo_labels.background_thresholds import BackgroundThresholds
from wsss_plugin.models.pseudo_labels.boundary_walk_labels import BoundaryWalkLabels
from wsss_plugin.models.pseudo_labels.cam_label_maker import CAMLabelMaker
from wsss_plugin.models.pseudo_labels.gmm_noise_filter import GMMNoiseFilter
from wsss_plugin.models.pseudo_labels.label_filter import LabelFilter
from wsss_plugin.models.pseudo_labels.label_maker import LabelMaker
from wsss_plugin.models.pseudo_labels.par import PAR
from wsss_plugin.models.pseudo_labels.pixel_labels import PixelLabels
from wsss_plugin.models.pseudo_labels.random_walk_labels import RandomWalkLabels
from wsss_plugin.models.pseudo_labels.region_mask import RegionMask
from wsss_plugin.models.pseudo_labels.stored_labels import StoredLabels
from wsss_plugin.models.pseudo_labels.token_labels import TokenLabels
from wsss_plugin.models.pseudo_labels.true_labels import TrueLabels

__all__ = [
    'PAR',
    'AlphaLabels',
    'BackgroundThresholds',
    'BoundaryWalkLabels',
    'CAMLabelMaker',
    'GMMNoiseFilter',
    'LabelFilter',
    'LabelMaker',
    'PixelLabels',
    'RandomWalkLabels',
    'RegionMask',
    'StoredLabels',
    'TokenLabels',
    'TrueLabels',
]
