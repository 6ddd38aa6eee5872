# DuPL's parts, row 3: and their features are kept apart.
_base_ = './threshold.py'
custom_hooks = {{_base_.shared_hooks}}
