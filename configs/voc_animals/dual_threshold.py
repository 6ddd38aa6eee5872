# Table 1: dual branch, threshold.
_base_ = './all.py'
model = dict(backbone=dict(modulation=None))
