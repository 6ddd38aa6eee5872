"""Looks at data before a training, and at its tags after it."""

from wsss_plugin.engine.inspection.checkpoint_tags import (
    TAGS_FILE,
    find_doubtful_tags,
    image_tags,
)
from wsss_plugin.engine.inspection.doubtful_tags import (
    DoubtfulTag,
    doubtful_tags,
    out_of_fold_scores,
)
from wsss_plugin.engine.inspection.file_check import FileCheck, check_files
from wsss_plugin.engine.inspection.image_config import image_config
from wsss_plugin.engine.inspection.inspect_data import (
    INSPECTION_FILE,
    SHEET_FILE,
    SPLITS,
    inspect_data,
)
from wsss_plugin.engine.inspection.inspection_text import inspection_text
from wsss_plugin.engine.inspection.loss_plan import loss_plan
from wsss_plugin.engine.inspection.mask_contradictions import mask_contradictions
from wsss_plugin.engine.inspection.short_form import short_form, training_summary
from wsss_plugin.engine.inspection.split_overlap import split_overlap
from wsss_plugin.engine.inspection.tag_statistics import tag_statistics
from wsss_plugin.engine.inspection.tagged_split import TaggedSplit, read_split, tag_datasets
from wsss_plugin.engine.inspection.view_sheet import view_sheet

__all__ = [
    'INSPECTION_FILE',
    'SHEET_FILE',
    'SPLITS',
    'TAGS_FILE',
    'DoubtfulTag',
    'FileCheck',
    'TaggedSplit',
    'check_files',
    'doubtful_tags',
    'find_doubtful_tags',
    'image_config',
    'image_tags',
    'inspect_data',
    'inspection_text',
    'loss_plan',
    'mask_contradictions',
    'out_of_fold_scores',
    'read_split',
    'short_form',
    'split_overlap',
    'tag_datasets',
    'tag_statistics',
    'training_summary',
    'view_sheet',
]
