# Table 3: th(T) = 0.60; all.py has 0.55.
_base_ = './all.py'
custom_hooks = [
    dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.60),
    *_base_.shared_hooks,
]
