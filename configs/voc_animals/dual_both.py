# Table 1: dual branch, channel and spatial modulation; the high threshold stays at th(0).
_base_ = './all.py'
custom_hooks = {{_base_.shared_hooks}}
