# The dual branch with a frozen DINOv2: its patch tokens are computed once for all parts, without a
# graph. No contrast could teach it, and both are refused; the consistency teaches the CNN.
_base_ = '../dual_branch/voc.py'
width = 384
model = dict(
    backbone=dict(
        vit=dict(
            model_name='vit_small_patch14_dinov2.lvd142m',
            frozen_stages=12,  # all of its blocks
        ),
    ),
    decode_head=dict(in_channels=width),
    cams=dict(final=dict(in_channels=width), aux=dict(in_channels=width)),
    labels=dict(token=None, region=None),
    terms=dict(ptc=None, ctc=None, consistency=dict(loss=dict(detach='first'))),
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
