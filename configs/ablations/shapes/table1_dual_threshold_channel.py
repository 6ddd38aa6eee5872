# Table 1: dual branch, dynamic threshold, channel modulation.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(backbone=dict(modulation=dict(spatial=False)))
