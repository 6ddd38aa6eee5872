# Table 5: channel and spatial modulation, parallel.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(backbone=dict(modulation=dict(order='parallel')))
