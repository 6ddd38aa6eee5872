"""From a folder of images and their tags to masks, for tools/label_images.py."""

from wsss_plugin.engine.labelling.empty_masks import EMPTY_FILE, FAINT_FILE, find_empty_masks
from wsss_plugin.engine.labelling.labelling_config import (
    CONFIG_FILE,
    HELD_OUT_LIST,
    STAGES_FILE,
    TRAIN_LIST,
    config_text,
    stages_text,
)
from wsss_plugin.engine.labelling.preset import (
    PRESETS,
    Preset,
    choose_preset,
    number_of_processes,
)
from wsss_plugin.engine.labelling.pretrained_files import PretrainedFiles
from wsss_plugin.engine.labelling.tagged_folder import TaggedFolder
from wsss_plugin.engine.labelling.work_speed import WorkSpeed, measure_speed

__all__ = [
    'CONFIG_FILE',
    'EMPTY_FILE',
    'FAINT_FILE',
    'HELD_OUT_LIST',
    'PRESETS',
    'STAGES_FILE',
    'TRAIN_LIST',
    'Preset',
    'PretrainedFiles',
    'TaggedFolder',
    'WorkSpeed',
    'choose_preset',
    'config_text',
    'find_empty_masks',
    'measure_speed',
    'number_of_processes',
    'stages_text',
]
