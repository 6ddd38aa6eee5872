# ToCo, whose CAM heads begin with PyTorch's default, as its code has it.
_base_ = '../toco.py'
model = dict(cam_head=dict(init_cfg=None), aux_cam_head=dict(init_cfg=None))
