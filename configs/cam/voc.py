# CAM of the CNN branch alone, without modulation: classification only, the thresholded multi-scale
# CAM is the segmentation. Optimiser and budget are those of the CNN in the dual-branch network.
_base_ = '../dual_branch/voc.py'
model = dict(
    _delete_=True,
    type='WeakSegmentor',
    data_preprocessor={{_base_.model.data_preprocessor}},
    backbone={{_base_.model.backbone.cnn}},
    cams=dict(
        final=dict(
            type='CAMHead',
            reads='out.-1',
            in_channels={{_base_.model.cams.cnn.in_channels}},
            num_classes={{_base_.num_classes}},
            pooling={{_base_.model.cams.cnn.pooling}},
        ),
    ),
    terms=dict(cls={{_base_.model.terms.cls}}),
    multi_scale={{_base_.model.multi_scale}},
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(
        type='RandomScaleCropWithBox',
        crop_size={{_base_.crop_size}},
        scale_range=(0.5, 2.0),  # (ToCo)
    ),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    optimizers=dict(_delete_=True, cnn={{_base_.optim_wrapper.optimizers.cnn}}),
    paramwise_cfg=dict(
        _delete_=True, head_lr_mult={{_base_.optim_wrapper.paramwise_cfg.head_lr_mult}}
    ),
)
param_scheduler = dict(_delete_=True, cnn={{_base_.param_scheduler.cnn}})
custom_hooks = {{_base_.shared_hooks}}
