# CAM of the second weights alone.
_base_ = '../../recam/shapes.py'
model = dict(cams=dict(final=dict(weights='second')))
