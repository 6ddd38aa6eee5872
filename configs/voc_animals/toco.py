# ToCo: the transformer alone.
_base_ = [
    '../_base_/models/toco_deit_tiny.py',
    '../_base_/datasets/voc_animals.py',
    '../_base_/schedules/voc_animals.py',
    '../_base_/default_runtime.py',
]
model = dict(terms=dict(seg=dict(start={{_base_.seg_start}})))
