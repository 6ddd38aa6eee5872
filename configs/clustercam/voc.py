# ClusterCAM with DeiT-S, PASCAL VOC 2012 train_aug; 3 GPUs x 3 images of 448 pixels. (released)
# marks the released code's settings, (paper) those of the paper where they differ.
# released: 70.3 val, 70.7 test by the decoder with multi-scale and CRF, at the checkpoint that is
# best on val; here the last one is taken. Corrected: stochastic depth is off where CAMs are made,
# tokens and positions have no weight decay, the image is not cut to whole grey levels.
# CRF: --crf --cfg-options test_evaluator.crf.gaussian=4,3 test_evaluator.crf.bilateral=83,5,3
_base_ = [
    '../_base_/datasets/voc.py',
    '../_base_/datasets/timm_augmentation.py',
    '../_base_/schedules/class_tokens.py',
    '../_base_/default_runtime.py',
]
num_classes, width, heads, depth = 20, 384, 6, 12
maps = depth * heads * num_classes
model = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(
        type='MultiViewDataPreProcessor',
        size=(448, 448),
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='ClusterVisionTransformer',
        model_name='deit_small_patch16_224.fb_in1k',
        pretrained=True,
        num_classes=num_classes,
        steps=3,  # (released); 10 (paper)
        cell=(2, 2),
        mean_blocks=3,  # (released)
        model_args=dict(drop_path_rate=0.1),  # (released)
    ),
    decode_head=dict(
        type='LargeFOVHead',
        in_channels=(width, maps),
        in_index=(0, 1),
        input_transform='resize_concat',
        channels=512,
        num_classes=num_classes + 1,
    ),
    decode_reads=('patch', 'class_to_patch'),
    cams=dict(
        final=dict(
            type='AttentionCAMHead',
            in_channels=width + maps,
            kernel_size=3,  # (released); 1 (paper)
            bias_in_cam=False,  # (released)
            reads=('patch', 'class_to_patch'),
            times='class_to_patch.mean',
            spread='patch_to_patch',
        )
    ),
    multi_scale=dict(scales=(1.0, 0.75, 1.25)),  # (released)
    thresholds=dict(low=0.3, high=0.5),  # (released) 0.40 -+ 0.1
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final',),
            # (released)
            refine=dict(
                type='PAR', num_iter=10, dilations=(1, 2, 4, 8, 12, 24), w1=0.3, w2=0.01, eps=1e-5
            ),
            scale=0.5,
        )
    ),
    terms=dict(
        maps=dict(type='ClassificationTerm', cams=('final',)),
        tokens=dict(type='ClassificationTerm', reads='class_tokens'),
        seg=dict(
            type='SegmentationTerm',
            labels='pixel',
            loss=dict(type='BalancedCrossEntropyLoss'),
            weight=0.1,  # (released)
            start=50 / 80,  # (released) epoch 50 of 80
        ),
    ),
    test_cfg=dict(mode='whole', cam=True),
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(_base_.random_part, scale=448),  # (released)
    dict(type='RandomFlip', prob=0.5),
    _base_.random_augmentation,
    _base_.random_erasing,
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(batch_size=3, dataset=dict(pipeline=train_pipeline))  # (released)
# (released) no flip; the maximum of the probabilities over the scales.
tta_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='Resize', scale_factor=scale, keep_ratio=True)
                for scale in (0.5, 0.75, 1.0, 1.25, 1.5)
            ],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWSSSInputs')],
        ],
    ),
]
tta_model = dict(scale_fusion='max', of_probabilities=True)
val_evaluator = dict(cam_threshold=0.4)
test_evaluator = val_evaluator
max_iters = 94000  # (released) 80 epochs of 1175 steps
rate = 5e-4 * 9 / 512
optim_wrapper = dict(
    optimizer=dict(lr=rate),  # (released)
    paramwise_cfg=dict(custom_keys={'cluster.mix': dict(decay_mult=0.0)}),
)
param_scheduler = dict(
    model=[
        dict(_base_.warm_up, start_factor=1e-6 / rate, end=max_iters // 16),
        # (released) down to 1e-5, which is above the rate, so that it rises there.
        dict(_base_.cosine, begin=max_iters // 16, end=max_iters, eta_min=1e-6),
    ]
)
train_cfg = dict(max_iters=max_iters, val_interval=11750)
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=9),
    *_base_.shared_hooks,
]
