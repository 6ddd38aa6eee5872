# ToCo on the shapes: the transformer alone. The decoder is that of the dual-branch network, so that
# only the CNN and what it adds differ: the consistency loss and its CAM in the pseudo label.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='TimmVisionTransformer',
        model_name={{_base_.vit.model_name}},
        freeze_position_embedding={{_base_.vit.freeze_position_embedding}},
        model_args={{_base_.vit.model_args}},
    ),
    cams=dict(cnn=None),
    labels=dict(pixel=dict(cams=('final',)), token=dict(cams=('aux',))),
    terms=dict(consistency=None),
)
optim_wrapper = dict(
    optimizers=dict(_delete_=True, vit={{_base_.optim_wrapper.optimizers.vit}}),
    paramwise_cfg=dict(
        _delete_=True, head_lr_mult={{_base_.optim_wrapper.paramwise_cfg.head_lr_mult}}
    ),
)
param_scheduler = dict(_delete_=True, vit={{_base_.param_scheduler.vit}})
custom_hooks = {{_base_.shared_hooks}}
