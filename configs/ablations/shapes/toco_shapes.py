# ToCo on the shapes: the transformer alone. The decoder is that of the dual-branch network, so that
# only the CNN and what it adds differ: loss (1) and its CAM in the pseudo label.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(
    _delete_=True,
    type='TokenContrastSegmentor',
    data_preprocessor={{_base_.model.data_preprocessor}},
    backbone={{_base_.model.backbone.vit}},
    decode_head={{_base_.model.decode_head}},
    cam_head={{_base_.model.cam_head}},
    aux_cam_head={{_base_.model.aux_cam_head}},
    projection_head={{_base_.model.projection_head}},
    refinement={{_base_.model.refinement}},
    loss_ptc={{_base_.model.loss_ptc}},
    loss_ctc={{_base_.model.loss_ctc}},
    thresholds={{_base_.model.thresholds}},
    cam_scales={{_base_.model.cam_scales}},
    loss_starts=dict(
        ptc={{_base_.model.loss_starts.ptc}},
        ctc={{_base_.model.loss_starts.ctc}},
        seg={{_base_.model.loss_starts.seg}},
    ),
    local_crops={{_base_.model.local_crops}},
    projection_momentum={{_base_.model.projection_momentum}},
    test_cfg={{_base_.model.test_cfg}},
)
optim_wrapper = dict(
    optimizers=dict(_delete_=True, vit={{_base_.optim_wrapper.optimizers.vit}}),
    paramwise_cfg=dict(
        _delete_=True, head_lr_mult={{_base_.optim_wrapper.paramwise_cfg.head_lr_mult}}
    ),
)
param_scheduler = dict(_delete_=True, vit={{_base_.param_scheduler.vit}})
custom_hooks = {{_base_.shared_hooks}}
