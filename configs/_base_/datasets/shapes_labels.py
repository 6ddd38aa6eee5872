# The shapes with exported labels in place of masks, read by MMSegmentation's own steps.
# {seed} is the seed of the training: labels of a first stage of the same seed.
_base_ = './shapes.py'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(
        type='RandomResize',
        scale=({{_base_.image_size}}, {{_base_.image_size}}),
        ratio_range=(0.8, 1.25),
        keep_ratio=True,
    ),
    dict(
        type='RandomCrop',
        crop_size=({{_base_.image_size}}, {{_base_.image_size}}),
        cat_max_ratio=0.75,
    ),
    dict(type='RandomFlip', prob=0.5),
    # As wide as the jitter of the other shapes configs; the toolbox's numbers are wider.
    dict(
        type='PhotoMetricDistortion',
        brightness_delta=16,
        contrast_range=(0.8, 1.2),
        saturation_range=(0.9, 1.1),
        hue_delta=4,
    ),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    dataset=dict(label_dir='data/labels/shapes/seed_{seed}', pipeline=train_pipeline)
)
