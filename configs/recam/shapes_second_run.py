# ReCAM on the generated shapes as published: a second run, from trunk and first classifier of a
# first one (configs/ablations/recam/shapes_weight_0.py), at lower rates.
_base_ = './shapes.py'
model = dict(terms=dict(softmax=dict(start=0)))
load_part = dict(
    checkpoint='work_dirs/shapes_weight_0/iter_1500.pth', modules=('backbone', 'cams.base')
)
optim_wrapper = dict(
    optimizers=dict(cnn=dict(lr=1e-3)),
    # As on VOC: the second classifier has ten times the rate of the rest.
    paramwise_cfg=dict(head_lr_mult=10, custom_keys={'cams.base': dict(head_lr_mult=1)}),
)
