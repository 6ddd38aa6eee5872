"""From a folder of images and their tags to masks, for tools/label_images.py."""

from wsss_plugin.engine.labelling.empty_masks import EMPTY_FILE, find_empty_masks
from wsss_plugin.engine.labelling.labelling_config import (
    CONFIG_FILE,
    STAGES_FILE,
    config_text,
    stages_text,
)
from wsss_plugin.engine.labelling.preset import PRESETS, Preset, choose_preset
from wsss_plugin.engine.labelling.pretrained_files import PretrainedFiles
from wsss_plugin.engine.labelling.tagged_folder import TaggedFolder
from wsss_plugin.engine.labelling.work_speed import WorkSpeed, measure_speed

__all__ = [
    'CONFIG_FILE',
    'EMPTY_FILE',
    'PRESETS',
    'STAGES_FILE',
    'Preset',
    'PretrainedFiles',
    'TaggedFolder',
    'WorkSpeed',
    'choose_preset',
    'config_text',
    'find_empty_masks',
    'measure_speed',
    'stages_text',
]
