# The whole method on images blurred as ToCo blurs them, at 448 x 448; the other rows learn from
# sharp images.
_base_ = './all.py'
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size={{_base_.crop_size}}, scale_range=(0.5, 2.0)),
    dict(type='MultiCropViews'),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
