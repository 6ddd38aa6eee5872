# The whole method on the generated shapes; trains on two CPU cores in minutes.
_base_ = [
    './_base_/models/dual_vit_r18_small.py',
    './_base_/datasets/shapes.py',
    './_base_/schedules/shapes.py',
    './_base_/default_runtime.py',
]
start = 600  # iterations of classification before CAMs are worth learning from
model = dict(
    terms=dict(
        consistency=dict(start=start),
        ptc=dict(start=start),
        ctc=dict(start=start),
        seg=dict(start=start),
    ),
)
custom_hooks = [
    dict(type='CosineThresholdHook', start=0.3, end=0.15),
    *_base_.shared_hooks,
]
