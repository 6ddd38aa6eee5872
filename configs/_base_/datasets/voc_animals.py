# Six classes of PASCAL VOC in photographs of 320 pixels, cut by tools/cut_voc_subset.py.
# (ToCo) marks that method's published settings.
data_root = 'data/voc_animals_320'
crop_size = 224  # the transformer's own size; the model cuts local crops of 64
eval_size = (224, 224)  # (ToCo) aspect ratio not kept; scored at the size of the mask
test_scales = (1.0, 1.25, 1.5)  # (ToCo)
metainfo = dict(
    classes=('background', 'cat', 'cow', 'dog', 'horse', 'sheep', 'person'),
    palette=[  # VOC's colours
        [0, 0, 0],
        [64, 0, 0],
        [64, 128, 0],
        [64, 0, 128],
        [192, 0, 128],
        [128, 64, 0],
        [192, 128, 128],
    ],
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size=crop_size, scale_range=(0.5, 2.0)),  # (ToCo)
    # Its defaults are ToCo's but for the blur: ToCo blurs all images from which classification and
    # segmentation learn, with a radius of up to 2 pixels, at 448 x 448. At half the size that hides
    # more: the CNN classifies better without it (docs/results/voc_animals_readings.md).
    dict(type='MultiCropViews', view1=dict(blur_prob=0)),
    dict(type='PackWSSSInputs'),
]
test_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='Resize', scale=eval_size, keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]
val_pipeline = test_pipeline
tta_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='Resize', scale=eval_size, keep_ratio=False),
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
tta_model = dict(type='ScaleMaxTTAModel')
dataset = dict(
    type='ImageTagDataset',
    ann_file='tags.json',
    data_root=data_root,
    data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
    metainfo=metainfo,
)
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='ReproducibleInfiniteSampler', shuffle=True),
    dataset=dict(
        dataset,
        list_file='ImageSets/Segmentation/train.txt',
        require_tags=True,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=5,
    num_workers=2,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        dataset,
        list_file='ImageSets/Segmentation/val.txt',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(
    type='WSSSMetric',
    split='val',
    cam_threshold=0.5,  # (ToCo)
    cam_threshold_sweep=(0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
)
test_evaluator = val_evaluator
