# MS COCO: 80000 iterations (section 2.1), all else as in the short schedule.
_base_ = './toco_80k.py'
optim_wrapper = dict(
    optimizers=dict(
        cnn=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=1e-4),  # section 2.1
    ),
    paramwise_cfg=dict(
        branches=dict(cnn=['backbone.cnn', 'backbone.modulations', 'cams.cnn']),
    ),
)
param_scheduler = dict(
    vit={{_base_.vit_scheduler}},
    cnn={{_base_.cnn_scheduler}},
)
