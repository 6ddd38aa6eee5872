"""Prints how many tags have fewer than 100 pixels in a crop: smallest and largest SCALE."""

import sys

import numpy as np
from mmengine.registry import init_default_scope
from mmengine.runner import set_random_seed
from mmseg.registry import DATASETS

import wsss_plugin  # noqa: F401
from wsss_plugin.engine.run_config import load_config

init_default_scope('mmseg')
config = load_config('configs/voc_animals/supervised.py')
dataset = config.train_dataloader.dataset
dataset.pipeline = dataset.pipeline[:3]  # image, masks, crop
dataset.pipeline[2].scale_range = (float(sys.argv[1]), float(sys.argv[2]))
set_random_seed(0)
classes = missed = 0
photographs = DATASETS.build(dataset)
for index in range(0, len(photographs), 4):
    sample = photographs[index]
    crop = sample['gt_seg_map']
    for label in np.flatnonzero(sample['gt_tags']) + 1:
        classes += 1
        missed += (crop == label).sum() < 100
print(classes, missed / classes)
