# DeepLabV3+ on exported labels of the shapes. What differs from the toolbox's config: a ResNet-18
# of a quarter of the width and random first weights, so a larger learning rate; a head to match,
# with rates that fit a map of 12 x 12 cells; plain batch norm, for one process without a GPU.
_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/shapes_labels.py',
    '../_base_/schedules/deeplab_20k.py',
    '../_base_/segmentor_runtime.py',
]
max_iters = 1500
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=(96, 96)),
    backbone=dict(depth=18, base_channels=16, stem_channels=16, norm_cfg=norm_cfg, init_cfg=None),
    decode_head=dict(
        in_channels=128,
        channels=64,
        dilations=(1, 2, 4, 6),
        c1_in_channels=16,
        c1_channels=16,
        num_classes=7,
        norm_cfg=norm_cfg,
    ),
    auxiliary_head=dict(in_channels=64, channels=32, num_classes=7, norm_cfg=norm_cfg),
)
optim_wrapper = dict(optimizer=dict(lr=0.1))
param_scheduler = [
    dict(type='PolyLR', eta_min=1e-4, power=0.9, begin=0, end=max_iters, by_epoch=False),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
