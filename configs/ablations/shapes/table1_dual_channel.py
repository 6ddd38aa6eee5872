# Table 1: dual branch, channel modulation.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(backbone=dict(modulation=dict(spatial=False)))
custom_hooks = {{_base_.shared_hooks}}  # the high threshold stays at th(0)
