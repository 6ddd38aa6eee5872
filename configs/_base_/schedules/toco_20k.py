# (ToCo) marks that method's published settings, taken over where the paper is silent.
max_iters = 20000  # section 2.1
warmup = 1500  # section 2.1
warmup_start = 1e-6  # "preheating rate", section 2.1: the first factor of the learning rate
poly_power = 0.9  # section 2.1 prints it as a weight decay; ToCo's poly power
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='DualBranchOptimWrapperConstructor',
    optimizers=dict(
        vit=dict(type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),  # 2.1; decay (ToCo)
    ),
    paramwise_cfg=dict(head_lr_mult=10),  # (ToCo)
)
# Linear to the end of the warm-up, then the polynomial counted from iteration 0 (ToCo).
vit_scheduler = [
    dict(type='LinearLR', start_factor=warmup_start, by_epoch=False, begin=0, end=warmup + 1),
    dict(
        type='MultiStepLR',
        milestones=[warmup],
        gamma=(1 - warmup / max_iters) ** poly_power,
        by_epoch=False,
    ),
    dict(type='PolyLR', power=poly_power, by_epoch=False, begin=warmup, end=max_iters + 1),
]
# For the dual-branch schedule, whose CNN follows the polynomial without warm-up.
cnn_scheduler = [dict(type='PolyLR', power=poly_power, by_epoch=False, begin=0, end=max_iters + 1)]
param_scheduler = dict(vit=vit_scheduler)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=2000)  # (ToCo)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
