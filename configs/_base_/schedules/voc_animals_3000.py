# Three times the budget of voc_animals.py, for networks whose class tokens start alike.
_base_ = './voc_animals.py'
max_iters = 3000
warmup = max_iters // 10
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
param_scheduler = dict(vit=vit_scheduler)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 3)
