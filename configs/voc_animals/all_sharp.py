# The whole method on images that are not blurred. ToCo blurs the images from which classification
# and segmentation learn, all of them, with a radius of up to 2 pixels, at 448 x 448; here that is
# half of the size.
_base_ = './all.py'
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size={{_base_.crop_size}}, scale_range=(0.5, 2.0)),
    dict(type='MultiCropViews', view1=dict(blur_prob=0)),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
