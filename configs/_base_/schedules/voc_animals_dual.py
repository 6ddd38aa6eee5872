# The budget of voc_animals.py with the CNN's own optimiser.
_base_ = './voc_animals.py'
# For all_adamw.py: the paper's SGD leaves the modulated CNN short of its classes in this budget.
cnn_adamw = dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.01)
optim_wrapper = dict(
    optimizers=dict(
        cnn=dict(type='SGD', lr=0.001, momentum=0.9, weight_decay=1e-4),
    ),
    paramwise_cfg=dict(
        branches=dict(cnn=['backbone.cnn', 'backbone.modulations', 'cams.cnn']),
    ),
)
param_scheduler = dict(cnn={{_base_.cnn_scheduler}})
