# Small defects in medical or industrial images: docs/domains/small_defects.md.
_base_ = '../_base_/tagged_images.py'
width = 384
data_root = 'data/small_defects'
classes = ('background', 'scratch', 'spot')
variables = ('data_root', 'classes')  # what a config that inherits may set anew
data = dict(data_root=data_root, metainfo=dict(classes=classes))
model = dict(
    backbone=dict(
        # Cells of 8 pixels in both branches: a defect of 10 pixels is lost in cells of 16.
        vit=dict(model_name='vit_small_patch8_224.dino'),
        cnn=dict(strides=(1, 2, 2, 1, 1, 1, 1)),
    ),
    decode_head=dict(in_channels=width, num_classes=len(classes)),
    cams=dict(
        final=dict(in_channels=width),
        aux=dict(in_channels=width),
        # The mean over the image drowns what a few cells see.
        cnn=dict(pooling='max'),
    ),
    labels=dict(
        # Refined at full size, and along what is near.
        pixel=dict(refine=dict(dilations=(1, 2, 4)), scale=1.0),
    ),
    terms=dict(
        ctc=dict(
            projection_head=dict(in_channels=width), local_crops=dict(positive_threshold=0.02)
        ),
    ),
)
train_pipeline = _base_.train_pipeline
# Nothing is made smaller, blurred or coloured: size, edges and grey values are the signal.
train_pipeline[1].scale_range = (1.0, 2.0)
plain = dict(jitter=(0.1, 0.1, 0.0, 0.0), grey_prob=0.0, blur_prob=0.0)
train_pipeline[2].update(
    view1=plain, local=plain, view2=dict(plain, solarise_prob=0.0), view2_scale=(0.6, 1.0)
)
train_dataloader = dict(dataset=dict(data, pipeline=train_pipeline))
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
