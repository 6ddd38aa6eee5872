# Table 1: dual branch.
_base_ = './dual_both.py'
model = dict(backbone=dict(modulation=None))
