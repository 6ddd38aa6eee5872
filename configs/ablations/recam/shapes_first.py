# CAM of the first weights, which the second classifier has taught: as on COCO.
_base_ = '../../recam/shapes.py'
model = dict(cams=dict(final=dict(weights='first')))
