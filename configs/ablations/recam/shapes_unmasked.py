# Features that the CAM does not mask, as the paper says of COCO.
_base_ = '../../recam/shapes.py'
model = dict(cams=dict(final=dict(masked=False)))
