# The whole method, whose transformer's CAM heads begin with PyTorch's default, and whose loss (1)
# teaches both branches.
_base_ = '../all_mutual.py'
model = dict(cam_head=dict(init_cfg=None), aux_cam_head=dict(init_cfg=None))
