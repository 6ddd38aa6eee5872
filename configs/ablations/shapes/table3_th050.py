# Table 3: the row th(T) = 0.50, that is th(0) - 0.20.
_base_ = '../../dual_vit_r18_shapes.py'
custom_hooks = [
    dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.1),
    *_base_.shared_hooks,
]
