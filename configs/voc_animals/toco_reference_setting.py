# ToCo at the setting at which its published code was run on these photographs, so that both stand
# side by side: 740 iterations of batch 4 (2.6 epochs), seed 0, float32.
_base_ = './toco_large_fov.py'
max_iters = 740
warmup = 74
model = dict(
    # (ToCo) PyTorch's first weights
    cams=dict(final=dict(init_cfg=None), aux=dict(init_cfg=None)),
    terms=dict(seg=dict(start=148)),
)
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
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size={{_base_.crop_size}}, scale_range=(0.5, 2.0)),
    dict(type='MultiCropViews'),  # blurs as ToCo does
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
