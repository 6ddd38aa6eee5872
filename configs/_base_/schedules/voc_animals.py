# One budget for every row of configs/voc_animals: change max_iters, and the rest follows.
max_iters = 1000
warmup = max_iters // 10
seg_start = max_iters // 5  # iterations of classification before CAMs are worth learning from
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='DualBranchOptimWrapperConstructor',
    optimizers=dict(
        vit=dict(type='AdamW', lr=6e-5, betas=(0.9, 0.999), weight_decay=0.01),
    ),
    paramwise_cfg=dict(head_lr_mult=10),
)
# Linear to the end of the warm-up, then the polynomial counted from iteration 0, as in toco_20k.py.
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
cnn_scheduler = [dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)]
param_scheduler = dict(vit=vit_scheduler)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=-(-max_iters // 3))
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
