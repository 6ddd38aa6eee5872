# The whole method (Table 1, last row): dual branch, channel and spatial modulation, threshold.
_base_ = [
    '../_base_/models/dual_deit_tiny_mobilenet.py',
    '../_base_/datasets/voc_animals.py',
    '../_base_/schedules/voc_animals_dual.py',
    '../_base_/default_runtime.py',
]
model = dict(terms=dict(seg=dict(start={{_base_.seg_start}})))
custom_hooks = [
    dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.55),
    *_base_.shared_hooks,
]
