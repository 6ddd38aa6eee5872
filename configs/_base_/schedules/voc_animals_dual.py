# The budget of voc_animals.py with the CNN's own optimiser.
_base_ = './voc_animals.py'
optim_wrapper = dict(
    optimizers=dict(
        cnn=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=1e-4),
    ),
    paramwise_cfg=dict(
        branches=dict(cnn=['backbone.cnn', 'backbone.modulations', 'cnn_cam_head']),
    ),
)
param_scheduler = dict(cnn={{_base_.cnn_scheduler}})
