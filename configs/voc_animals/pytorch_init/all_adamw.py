# The whole method with AdamW for the CNN, whose transformer's CAM heads begin with PyTorch's
# default, and whose consistency loss teaches both branches.
_base_ = '../all_adamw_mutual.py'
model = dict(cams=dict(final=dict(init_cfg=None), aux=dict(init_cfg=None)))
