# The mixed network whose transformer learns, with its CAMs of all scales.
_base_ = './frozen_all_scales.py'
model = dict(backbone=dict(vit=dict(frozen_stages=-1)))
