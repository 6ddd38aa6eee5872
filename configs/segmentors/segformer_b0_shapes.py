# SegFormer-B0 on exported labels of the shapes. What differs from the toolbox's config: random
# first weights, so a larger learning rate, equal for encoder and head, and a short warm-up; images
# of 96 pixels; plain batch norm, for one process without a GPU.
_base_ = [
    '../_base_/models/segformer_b0.py',
    '../_base_/datasets/shapes_labels.py',
    '../_base_/schedules/segformer_20k.py',
    '../_base_/segmentor_runtime.py',
]
max_iters = 1500
warmup = 100
model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(init_cfg=None),
    decode_head=dict(num_classes=7, norm_cfg=dict(type='BN', requires_grad=True)),
)
optim_wrapper = dict(
    optimizer=dict(lr=1e-3),
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=1.0))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=warmup),
    dict(type='PolyLR', eta_min=0.0, power=1.0, begin=warmup, end=max_iters, by_epoch=False),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
