# The weight of COCO.
_base_ = '../../recam/shapes.py'
model = dict(terms=dict(softmax=dict(weight=0.1)))
