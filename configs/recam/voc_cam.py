# First run of ReCAM, PASCAL VOC 2012 train_aug: classification alone. (code) marks what the
# published code has and the paper does not say.
_base_ = ['../_base_/datasets/voc.py', '../_base_/default_runtime.py']
num_classes = 20
crop_size = 512  # (code)
max_iters = 3305  # (code) 5 epochs of 661 batches
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
    backbone=dict(
        type='ResNet',
        depth=50,
        strides=(1, 2, 2, 1),  # (code) output stride 16
        dilations=(1, 1, 1, 1),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=True,  # (code) statistics of ImageNet
        frozen_stages=0,  # (code) the first convolution
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    cams=dict(
        base=dict(
            type='CAMHead', reads='layer4', in_channels=2048, num_classes=num_classes, pooling='avg'
        ),
        # Predicts by the first classifier as long as the second has learnt nothing.
        final=dict(
            type='ReweightedCAMHead',
            reads='layer4',
            in_channels=2048,
            num_classes=num_classes,
            base='base',
            weights='first',
        ),
    ),
    terms=dict(cls=dict(type='ClassificationTerm', cams=('base',))),
    multi_scale=dict(  # (code)
        scales=(1.0, 0.5, 1.5, 2.0),
        resize='bicubic',
        rounding='nearest',
        relu='raw',
        flip='sum',
        normalise='max',
        multiple=16,
    ),
    test_cfg=dict(cam_threshold=0.21),  # (code)
)
# (code) the longer side is 320 to 640 pixels long.
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(
        type='RandomChoiceResize',
        scales=[(side, side) for side in range(320, 641, 16)],
        interpolation='bicubic',
    ),
    dict(type='RandomScaleCropWithBox', crop_size=crop_size, scale_range=(1.0, 1.0)),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(batch_size=16, dataset=dict(pipeline=train_pipeline))  # (code) one GPU
# (code) CAMs are scored on the 1464 training images with masks, at their own size.
val_dataloader = dict(
    dataset=dict(ann_file='ImageSets/Segmentation/train.txt', pipeline={{_base_.test_pipeline}}),
)
test_dataloader = val_dataloader
val_evaluator = dict(split='train', cam_threshold=0.21)
test_evaluator = val_evaluator
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='JointOptimWrapperConstructor',
    # (code) its momentum is the number of the weight decay, practically none; 0.9 is usual.
    optimizer=dict(type='SGD', lr=0.1, momentum=1e-4, weight_decay=1e-4),
    paramwise_cfg=dict(head_lr_mult=10),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=16),
    *_base_.shared_hooks,
]
