# DuPL's parts, row 5: and noise is taken out of the labels.
_base_ = './consistency.py'
model = dict(terms=dict(ignored=None))
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
