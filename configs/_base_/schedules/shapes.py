# From random weights, so every learning rate is larger than in the paper.
max_iters = 1500
warmup = 100
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='DualBranchOptimWrapperConstructor',
    optimizers=dict(
        vit=dict(type='AdamW', lr=2e-3, betas=(0.9, 0.999), weight_decay=0.01),
        cnn=dict(type='SGD', lr=0.2, momentum=0.9, weight_decay=1e-4),
    ),
    paramwise_cfg=dict(
        head_lr_mult=1,  # heads and branches start from random weights alike
        branches=dict(cnn=['backbone.cnn', 'backbone.modulations', 'cams.cnn']),
    ),
)
# Linear to the end of the warm-up, then the polynomial counted from iteration 0 (ToCo).
vit_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=warmup + 1),
    dict(
        type='MultiStepLR',
        milestones=[warmup],
        gamma=(1 - warmup / max_iters) ** 0.9,
        by_epoch=False,
    ),
    dict(type='PolyLR', power=0.9, by_epoch=False, begin=warmup, end=max_iters + 1),
]
param_scheduler = dict(
    vit=vit_scheduler,
    cnn=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
