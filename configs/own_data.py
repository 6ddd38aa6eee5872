# Your own images. Say what you have in the first block, in a config that inherits from this one or
# by --cfg-options; all else follows. docs/own_data.md shows it.
_base_ = ['./_base_/models/own_data.py', './_base_/default_runtime.py']

data_root = 'data/own'
images = 'images'  # folder below data_root
tags = 'tags.csv'  # or a JSON, below data_root
classes = ('background', 'cat', 'dog')
train_list = None  # names of the images to train on, one per line; None takes all of tags
val_list = None  # names of images with masks, which are not trained on; None scores nothing
masks = 'masks'  # folder below data_root, only to score
unlisted = 'error'  # images without an entry in tags: 'error', 'ignore' or 'background'
backbone = 'small'  # 'scratch': random weights, small images; 'small': photographs; 'base': a GPU
vit_weights = True  # of the transformer: a file, True downloads them, False starts at random
cnn_weights = True  # of the CNN, likewise
image_size = 224  # side in pixels; 96 suits 'scratch', 224 'small', 448 'base'
max_iters = 2000
batch_size = 4  # images of one process

# What a config that inherits from this one may set anew by the lines above.
variables = (
    'data_root',
    'images',
    'tags',
    'classes',
    'train_list',
    'val_list',
    'masks',
    'unlisted',
    'backbone',
    'vit_weights',
    'cnn_weights',
    'image_size',
    'max_iters',
    'batch_size',
)
if backbone not in _base_.presets:
    raise ValueError(
        f'backbone: expected one of {list(_base_.presets)}, received {backbone!r}; correct it in '
        'the config that inherits from configs/own_data.py, or in --cfg-options'
    )
preset = _base_.presets[backbone]
presets = None
num_classes = len(classes) - 1
low, high, final_high = preset.thresholds
vit, cnn = preset.vit, preset.cnn
if backbone == 'scratch':
    vit.model_args.img_size = image_size
else:
    vit.pretrained = vit_weights
    cnn.init_cfg = preset.cnn_weights if cnn_weights else None
    if isinstance(cnn_weights, str):
        cnn.init_cfg.checkpoint = cnn_weights
local_crop = max(1, int(image_size * preset.local_crop / preset.patch + 1e-9)) * preset.patch
token_cam_head = dict(
    type='CAMHead', in_channels=preset.width, num_classes=num_classes, pooling='max'
)
model = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(
        type='MultiViewDataPreProcessor',
        size=(image_size, image_size),
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='DualBranchBackbone',
        vit=vit,
        cnn=cnn,
        modulation=dict(type='ActivationModulation', order='serial', reduction=preset.reduction),
        modulated_stages=preset.modulated_stages,
        placement='residual',
    ),
    decode_head=dict(
        preset.decode_head,
        type='ConvMLPHead',
        in_channels=preset.width,
        num_classes=len(classes),
    ),
    decode_reads='patch',
    cams=dict(
        final=dict(token_cam_head, reads='patch'),
        aux=dict(token_cam_head, reads=preset.aux),
        cnn=dict(
            type='CAMHead',
            reads='cnn',
            in_channels=preset.cnn_channels,
            num_classes=num_classes,
            pooling='avg',
        ),
        **preset.cams,
    ),
    multi_scale=dict(scales=(1.0, 0.5, 1.5)),
    thresholds=dict(low=low, high=high),
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=preset.pixel_cams,
            refine=dict(type='PAR', num_iter=10, dilations=preset.dilations, w1=0.3, w2=0.01),
            scale=0.5,
        ),
        token=dict(type='TokenLabels', cams=preset.token_cams),
        region=dict(type='RegionMask', cams=('aux',)),
    ),
    terms=dict(
        cls=dict(type='ClassificationTerm', loss=dict(type='MultiLabelSoftMarginLoss')),
        consistency=dict(
            type='ConsistencyTerm',
            pairs=(('aux', 'cnn'), ('final', 'cnn')),
            loss=dict(type='SemanticConsistencyLoss', norm='l1', detach=preset.consistency.detach),
            weight=preset.consistency.weight,
            start=preset.start,
        ),
        ptc=dict(
            type='PatchTokenContrastTerm',
            labels='token',
            loss=dict(type='PatchTokenContrastLoss'),
            weight=0.2,
            start=preset.start,
        ),
        ctc=dict(
            type='ClassTokenContrastTerm',
            labels='region',
            loss=dict(type='ClassTokenContrastLoss', temperature=0.5),
            projection_head=dict(
                preset.projection_head, type='ProjectionHead', in_channels=preset.width
            ),
            momentum=0.9,
            local_crops=dict(num=8, size=local_crop, positive_threshold=0.2),
            weight=preset.ctc_weight,
            start=preset.start,
            idle=preset.idle,
        ),
        seg=dict(
            type='SegmentationTerm',
            labels='pixel',
            loss=dict(type='BalancedCrossEntropyLoss', foreground_weight=preset.foreground_weight),
            weight=preset.seg_weights[0][1],
            start=preset.seg_start,
            idle=preset.idle,
        ),
    ),
    # No class prior: the word of a classifier that is wrong leaves background alone.
    test_cfg=dict(mode='whole', cam=True),
)

train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size=image_size, scale_range=preset.scale_range),
    dict(preset.views, type='MultiCropViews'),
    dict(type='PackWSSSInputs'),
]
resize = dict(type='Resize', scale=(image_size, image_size), keep_ratio=False)
val_pipeline = [
    dict(type='LoadImageOrRaise'),
    resize,
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]
test_pipeline = val_pipeline
tta_pipeline = [
    dict(type='LoadImageOrRaise'),
    resize,
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale_factor=s, keep_ratio=True) for s in (1.0, 1.25, 1.5)],
            [dict(type='RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWSSSInputs')],
        ],
    ),
]
tta_model = dict(type='ScaleMaxTTAModel', flip_fusion='sum', scale_fusion='max')
dataset = dict(
    type='ImageTagDataset',
    data_root=data_root,
    data_prefix=dict(img_path=images, seg_map_path=masks),
    ann_file=tags,
    metainfo=dict(classes=classes),
    unlisted=unlisted,
)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='ReproducibleInfiniteSampler', shuffle=True),
    dataset=dict(dataset, list_file=train_list, pipeline=train_pipeline),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(dataset, list_file=val_list, test_mode=True, pipeline=test_pipeline),
)
test_cfg = dict(type='TestLoop')
test_evaluator = dict(type='WSSSMetric', split='val', cam_threshold=preset.cam_threshold)
val_dataloader = test_dataloader if val_list else None
val_cfg = dict(type='ValLoop') if val_list else None
val_evaluator = test_evaluator if val_list else None

warmup = int(max_iters * preset.warmup)
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='DualBranchOptimWrapperConstructor',
    optimizers=preset.optimizers,
    paramwise_cfg=dict(
        head_lr_mult=preset.head_lr_mult,
        branches=dict(cnn=['backbone.cnn', 'backbone.modulations', 'cams.cnn']),
    ),
    clip_grad=preset.clip_grad,
)
param_scheduler = dict(
    vit=[
        dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=warmup + 1),
        dict(
            type='MultiStepLR',
            milestones=[warmup],
            gamma=(1 - warmup / max_iters) ** 0.9,
            by_epoch=False,
        ),
        dict(type='PolyLR', power=0.9, by_epoch=False, begin=warmup, end=max_iters + 1),
    ],
    cnn=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(
    logger=dict(interval=max(1, min(50, max_iters // 20))),
    checkpoint=dict(interval=max(1, max_iters // 10)),
)
custom_hooks = [
    dict(type='CosineThresholdHook', start=high, end=final_high),
    dict(type='LossWeightHook', loss='terms.seg', weights=preset.seg_weights),
    dict(type='SplitOverlapHook', refuse=True),
    *_base_.shared_hooks,
]
preset = None  # said above, where it is used
