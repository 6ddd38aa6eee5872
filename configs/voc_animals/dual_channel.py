# Table 1: dual branch, channel modulation.
_base_ = './dual_both.py'
model = dict(backbone=dict(modulation=dict(spatial=False)))
