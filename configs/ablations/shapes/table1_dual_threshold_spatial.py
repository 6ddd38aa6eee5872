# Table 1: dual branch, dynamic threshold, spatial modulation.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(backbone=dict(modulation=dict(channel=False)))
