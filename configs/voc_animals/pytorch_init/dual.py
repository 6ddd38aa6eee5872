# Table 1: dual branch.
_base_ = './all.py'
model = dict(backbone=dict(modulation=None))
custom_hooks = {{_base_.shared_hooks}}
