# Table 1: dual branch, spatial modulation.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(backbone=dict(modulation=dict(channel=False)))
custom_hooks = {{_base_.shared_hooks}}  # the high threshold stays at th(0)
