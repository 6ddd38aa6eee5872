# DuPL's parts, row 1: one student, which learns from the labels of its own CAM. It is ToCo on the
# shapes without the contrast of class tokens.
_base_ = '../shapes/toco_shapes.py'
model = dict(labels=dict(region=None), terms=dict(ctc=None))
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
