# MS COCO: 80000 iterations (section 2.1), all else as in the short schedule.
_base_ = './toco_20k.py'
max_iters = 80000  # section 2.1
warmup = 1500  # section 2.1
warmup_start = 1e-6  # section 2.1
poly_power = 0.9  # section 2.1
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
train_cfg = dict(max_iters=max_iters, val_interval=4000)  # (ToCo) interval
