# The whole method on the generated shapes; trains on two CPU cores in minutes.
_base_ = [
    './_base_/models/dual_vit_r18_small.py',
    './_base_/datasets/shapes.py',
    './_base_/schedules/shapes.py',
    './_base_/default_runtime.py',
]
model = dict(loss_starts=dict(ptc=600, ctc=600, seg=600, consistency=600))
custom_hooks = [
    dict(type='CosineThresholdHook', start=0.3, end=0.15),
    {{_base_.safe_checkpoint_hook}},
    {{_base_.checkpoint_shape_hook}},
]
