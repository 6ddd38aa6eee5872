# Without the softmax: the second weights learn nothing, and the CAM is that of the first.
_base_ = '../../recam/shapes.py'
model = dict(cams=dict(final=dict(weights='first')), terms=dict(softmax=None))
