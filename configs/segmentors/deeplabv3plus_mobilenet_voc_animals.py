# DeepLabV3+ with MobileNetV2 on exported labels of the photographs. What differs from the toolbox's
# config/mobilenet_v2: output stride 16 and its rates, and the head of its ResNet-18, to be quick on
# a CPU; the statistics of the pretrained norms are kept, since four images are too few for others.
# With these the toolbox's SGD at 0.01 inflates the features, and nothing is learnt: so AdamW.
_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/voc_animals_labels.py',
    '../_base_/schedules/deeplab_20k.py',
    '../_base_/segmentor_runtime.py',
]
max_iters = 1000
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    data_preprocessor=dict(size=({{_base_.crop_size}}, {{_base_.crop_size}})),
    backbone=dict(
        _delete_=True,
        type='MobileNetV2',
        strides=(1, 2, 2, 2, 1, 1, 1),
        dilations=(1, 1, 1, 1, 1, 2, 2),
        out_indices=(1, 2, 4, 6),
        norm_cfg=norm_cfg,
        norm_eval=True,
        init_cfg=dict(
            type='Pretrained',
            checkpoint='data/weights/mobilenet_v2_fp16.pth',
            prefix='backbone.',
        ),
    ),
    decode_head=dict(
        in_channels=320,
        channels=128,
        dilations=(1, 6, 12, 18),
        c1_in_channels=24,
        num_classes=7,
        norm_cfg=norm_cfg,
    ),
    auxiliary_head=dict(in_channels=96, channels=64, num_classes=7, norm_cfg=norm_cfg),
)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
)
param_scheduler = [
    dict(type='PolyLR', eta_min=0.0, power=0.9, begin=0, end=max_iters, by_epoch=False),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
