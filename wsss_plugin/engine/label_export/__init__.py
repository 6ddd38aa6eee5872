"""Pseudo labels as files: which images, how they are labelled, and the folder they go into."""

from wsss_plugin.engine.label_export.cam_labels import CAMLabels, load_segmentor, named_cams
from wsss_plugin.engine.label_export.cam_scores import CAMScores
from wsss_plugin.engine.label_export.export_settings import export_settings
from wsss_plugin.engine.label_export.image_cams import ImageCAMs
from wsss_plugin.engine.label_export.label_folder import LabelFolder
from wsss_plugin.engine.label_export.label_refinement import REFINEMENTS, LabelRefinement
from wsss_plugin.engine.label_export.listed_images import ListedImages
from wsss_plugin.engine.label_export.score_files import ScoreFiles
from wsss_plugin.engine.label_export.segmentation_labels import SegmentationLabels
from wsss_plugin.engine.label_export.stored_cams import StoredCAMs
from wsss_plugin.engine.label_export.stored_label_scores import score_stored_labels

__all__ = [
    'REFINEMENTS',
    'CAMLabels',
    'CAMScores',
    'ImageCAMs',
    'LabelFolder',
    'LabelRefinement',
    'ListedImages',
    'ScoreFiles',
    'SegmentationLabels',
    'StoredCAMs',
    'export_settings',
    'load_segmentor',
    'named_cams',
    'score_stored_labels',
]
