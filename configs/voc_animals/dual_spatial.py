# Table 1: dual branch, spatial modulation.
_base_ = './dual_both.py'
model = dict(backbone=dict(modulation=dict(channel=False)))
