# CAM of the CNN alone on the shapes: classification only, threshold on the multi-scale CAM.
_base_ = [
    '../_base_/models/dual_vit_r18_small.py',
    '../_base_/datasets/shapes.py',
    '../_base_/schedules/shapes.py',
    '../_base_/default_runtime.py',
]
model = dict(
    _delete_=True,
    type='CAMSegmentor',
    data_preprocessor={{_base_.data_preprocessor}},
    backbone={{_base_.cnn}},
    cam_head=dict(
        type='CAMHead',
        in_channels=128,
        num_classes=6,
        pooling='avg',
        loss_cls={{_base_.loss_cls}},
    ),
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size=96, scale_range=(0.8, 1.25)),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    optimizers=dict(_delete_=True, cnn=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=1e-4)),
    paramwise_cfg=dict(_delete_=True, head_lr_mult=1),
)
param_scheduler = dict(
    _delete_=True,
    cnn=[dict(type='PolyLR', power=0.9, eta_min=0, by_epoch=False, begin=0, end=1500)],
)
custom_hooks = [dict(type='SafeCheckpointHook'), dict(type='CheckpointShapeHook')]
