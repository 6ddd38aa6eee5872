# The dual branch on any images with tags, with weights that are downloaded. It is the plain method,
# which configs/domains change; own_data.py has presets with labels and switches of their own.
_base_ = [
    './models/dual_deit_tiny_mobilenet.py',
    './datasets/tagged_images.py',
    './schedules/voc_animals_dual.py',
    './default_runtime.py',
]
model = dict(
    backbone=dict(
        vit=dict(pretrained=True),
        cnn=dict(init_cfg=dict(checkpoint='mmcls://mobilenet_v2')),
    ),
    terms=dict(seg=dict(start={{_base_.seg_start}})),
)
threshold_hook = dict(type='CosineThresholdHook', start={{_base_.model.thresholds.high}}, end=0.55)
custom_hooks = [threshold_hook, *_base_.shared_hooks]
