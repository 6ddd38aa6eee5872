# ToCo, whose CAM heads begin with PyTorch's default, as its code has it.
_base_ = '../toco.py'
model = dict(cams=dict(final=dict(init_cfg=None), aux=dict(init_cfg=None)))
