# Table 1: dual branch, whose transformer's CAM heads begin with PyTorch's default, and whose loss
# (1) teaches both branches.
_base_ = '../dual_mutual.py'
model = dict(cam_head=dict(init_cfg=None), aux_cam_head=dict(init_cfg=None))
