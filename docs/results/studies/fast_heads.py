# CAM heads that learn five times as fast as the transformer.
_base_ = '../../../configs/voc_animals/pytorch_init/all_adamw.py'
optim_wrapper = dict(
    optimizers=dict(cam=dict(type='AdamW', lr=3e-4, betas=(0.9, 0.999), weight_decay=0.01)),
    paramwise_cfg=dict(branches=dict(cam=['cams.final', 'cams.aux'])),
)
param_scheduler = dict(cam={{_base_.vit_scheduler}})
