# Table 1: dual branch, channel and spatial modulation.
_base_ = '../../dual_vit_r18_shapes.py'
custom_hooks = {{_base_.shared_hooks}}  # the high threshold stays at th(0)
