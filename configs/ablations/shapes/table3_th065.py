# Table 3: the row th(T) = 0.65, that is th(0) - 0.05.
_base_ = '../../dual_vit_r18_shapes.py'
custom_hooks = [
    dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.25),
    *_base_.shared_hooks,
]
