# The paper's segmentation network, ResNet-38d with two dilated 3x3 convolutions, on labels
# that tools/export_labels.py has written. Tested at five scales with flips (--tta), without CRF.
# paper: 61.7 val mIoU.
_base_ = ['../_base_/datasets/voc.py', '../_base_/segmentor_runtime.py']
num_classes = 20
crop_size = 448
max_iters = 20000  # the paper is silent
model = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(
        type='MultiViewDataPreProcessor',
        size=(crop_size, crop_size),
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(type='WideResNet38', pretrained='data/weights/r38.pth', out_features=('conv6',)),
    decode_reads='conv6',
    decode_head=dict(
        type='FCNHead',
        in_channels=4096,
        in_index=-1,
        channels=512,
        num_convs=2,
        dilation=12,
        concat_input=False,
        num_classes=num_classes + 1,
        align_corners=False,
    ),
    labels=dict(stored=dict(type='StoredLabels')),
    terms=dict(
        seg=dict(
            type='SegmentationTerm',
            labels='stored',
            loss=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        ),
    ),
    test_cfg=dict(mode='whole'),
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='LoadAnnotations'),
    dict(type='RandomScaleCropWithBox', crop_size=crop_size, scale_range=(0.5, 1.5)),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(
    batch_size=8,
    dataset=dict(label_dir='data/labels/affinitynet_voc', pipeline=train_pipeline),
)
tta_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='Resize', scale_factor=scale, keep_ratio=True)
                for scale in (0.5, 0.75, 1.0, 1.25, 1.5)
            ],
            [dict(type='RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWSSSInputs')],
        ],
    ),
]
tta_model = dict(flip_fusion='sum', scale_fusion='sum')  # the mean of the scores
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='JointOptimWrapperConstructor',
    optimizer=dict(type='Adam', lr=1e-5, weight_decay=5e-4),  # Adam in the paper, without its rate
    paramwise_cfg=dict(head_lr_mult=10),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=2000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
