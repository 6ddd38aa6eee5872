# The frozen transformer with CAMs of all scales and flips.
_base_ = '../../../configs/mixing/frozen_dinov2_voc.py'
model = dict(cams=dict(final=dict(multi_scale=None)))
