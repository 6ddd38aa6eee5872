# Beyond the paper, on photographs: what makes cleaner pseudo labels there, in the same budget as
# voc_animals/all.py. docs/results/voc_animals_readings.md has the scores of both.
_base_ = './voc_animals/dual_threshold.py'  # the modulation costs the CNN's CAM 5 to 9 points
model = dict(
    # The CAMs are wrong in different places, so their average is cleaner than each.
    label_cams=((0, ('final', 'aux', 'cnn')),),
    affinity_cams=('aux', 'cnn'),
    thresholds=dict(low=0.2),  # at 0.25 a tenth of the foreground is labelled background
    idle_losses='zero',  # the decoder's first steps are larger, as in ToCo's code
)
custom_hooks = [
    dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.5),
    {{_base_.safe_checkpoint_hook}},
    {{_base_.checkpoint_shape_hook}},
]
