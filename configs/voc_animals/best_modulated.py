# What best_voc_animals.py adds to the dual branch, added to the whole method with AdamW for the
# CNN, with the transformer's word on which classes an image has, which needs no CNN at test time.
# docs/results/voc_animals_readings.md has the scores of both.
_base_ = './all_adamw.py'
model = dict(
    decode_head=dict(loss_decode=dict(foreground_weight=0.3)),
    label_cams=((0, ('final', 'aux', 'cnn')), (500, ('aux', 'cnn', 'decoder'))),
    affinity_cams=('aux', 'cnn'),
    thresholds=dict(low=0.2),
    test_cfg=dict(class_prior='final'),
)
custom_hooks = [
    dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.5),
    dict(type='LossWeightHook', loss='decode_head.loss_decode', weights=((0, 0.1), (500, 0.5))),
    {{_base_.safe_checkpoint_hook}},
    {{_base_.checkpoint_shape_hook}},
]
