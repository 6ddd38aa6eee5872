# Table 1: dual branch; with AdamW for the CNN as in all_adamw.py, its counterpart with all parts.
_base_ = './all_adamw.py'
model = dict(backbone=dict(modulation=None))
custom_hooks = {{_base_.shared_hooks}}
