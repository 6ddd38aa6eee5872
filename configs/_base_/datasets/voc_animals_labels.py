# The photographs with exported labels in place of masks, read by MMSegmentation's own steps.
_base_ = './voc_animals.py'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(320, 320), ratio_range=(0.5, 2.0), keep_ratio=True),
    dict(
        type='RandomCrop',
        crop_size=({{_base_.crop_size}}, {{_base_.crop_size}}),
        cat_max_ratio=0.75,
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(dataset=dict(label_dir='data/labels/voc_animals', pipeline=train_pipeline))
