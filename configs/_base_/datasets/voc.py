# PASCAL VOC 2012 with image-level tags: 10582 training, 1449 validation images (section 2.1).
# (ToCo) marks that method's published settings, taken over where the paper is silent.
# train_aug.txt lists the images of VOC and SBD; their masks are never opened in training.
data_root = 'data/VOCdevkit/VOC2012'
crop_size = 448  # section 2.1; the local crops of 96 are cut by the model
val_size = (448, 448)  # (ToCo) aspect ratio not kept
test_scales = (1.0, 1.25, 1.5)  # (ToCo) "multi-scale testing", section 2.1
colour = dict(jitter=(0.4, 0.4, 0.2, 0.1), jitter_prob=0.8, grey_prob=0.2)  # (ToCo)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size=crop_size, scale_range=(0.5, 2.0)),  # (ToCo)
    dict(
        type='MultiCropViews',  # (ToCo)
        view1=dict(colour, blur_prob=1.0, blur_radius=(0.1, 2.0)),
        local=dict(colour, blur_prob=0.5, blur_radius=(0.1, 2.0)),
        view2=dict(
            colour,
            blur_prob=0.1,
            blur_radius=(0.1, 2.0),
            solarise_prob=0.2,
            solarise_threshold=128,
        ),
        view2_scale=(0.4, 1.0),
    ),
    dict(type='PackWSSSInputs'),
]
val_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='Resize', scale=val_size, keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]
test_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]
# (ToCo) original size; the flips' logits are summed, their maximum over the scales is taken.
tta_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale_factor=scale, keep_ratio=True) for scale in test_scales],
            [dict(type='RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWSSSInputs')],
        ],
    ),
]
tta_model = dict(type='ScaleMaxTTAModel', flip_fusion='sum', scale_fusion='max')
train_dataloader = dict(
    batch_size=2,  # (ToCo) 2 GPUs x 2; the paper's batch of 4, section 2.1
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ReproducibleInfiniteSampler', shuffle=True),
    dataset=dict(
        type='VOCTagDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/train_aug.txt',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOCTagDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/val.txt',
        test_mode=True,
        pipeline=val_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='VOCTagDataset',
        data_root=data_root,
        ann_file='ImageSets/Segmentation/val.txt',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
# tools/test.py --crf adds ToCo's CRF, whose numbers are CRFPool's defaults: 10 iterations,
# Gaussian sxy 1, weight 1, bilateral sxy 121, srgb 5, weight 4.
val_evaluator = dict(type='WSSSMetric', split='val', cam_threshold=0.5)  # (ToCo)
test_evaluator = val_evaluator
