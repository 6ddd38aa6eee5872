# Beyond the paper, for photographs in a small budget: the dual branch with the falling threshold
# (voc_animals/dual_threshold.py), its CNN left unmodulated, and
# * a lower end of the threshold, which labels more of the objects;
# * a larger weight of the segmentation loss, which the transformer learns from;
# * the running mean of all weights for prediction.
# docs/results/voc_animals_readings.md has what each is chosen by.
_base_ = './voc_animals/dual_threshold.py'
model = dict(decode_head=dict(loss_decode=dict(loss_weight=0.5)))
custom_hooks = [
    dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.45),
    dict(type='EMAHook', momentum=0.01, begin_iter={{_base_.seg_start}}),
    {{_base_.safe_checkpoint_hook}},
    {{_base_.checkpoint_shape_hook}},
]
