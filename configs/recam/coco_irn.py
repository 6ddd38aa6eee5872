# IRN on MS COCO 2014: boundaries from ReCAM's labels, on its network, which stays as it is. Train
# configs/recam/coco.py before. (code) marks the settings of IRN in ReCAM's code, which makes the
# labels once, with a dense CRF instead of PAR.
_base_ = './coco.py'
max_iters = 7760  # (code) 3 epochs of 82783 images, 32 in a batch
crop_size = 512
model = dict(
    backbone=dict(frozen_stages=4),
    heads=dict(irn=dict(type='IRNHead', radius=10)),  # (code) in cells of 4 pixels
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final',),
            thresholds=dict(low=0.10, high=0.35),  # (code)
            refine=dict(type='PAR', num_iter=10),
            scale=0.5,
        ),
        walk=dict(
            type='BoundaryWalkLabels', cams=('final',), threshold=0.25, radius=5, beta=10, steps=256
        ),  # (code)
    ),
    terms=dict(_delete_=True, irn=dict(type='IRNTerm', labels='pixel', head='irn')),
)
load_part = dict(checkpoint='work_dirs/coco/iter_55188.pth', modules=('backbone', 'cams'))
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size=crop_size, scale_range=(0.5, 1.5)),  # (code)
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))  # (code)
optim_wrapper = dict(
    # (code) 0.1 for the boundaries, 1.0 for the displacements.
    optimizer=dict(lr=0.1),
    paramwise_cfg=dict(
        _delete_=True,
        head_lr_mult=1,
        custom_keys={'heads.irn.displacement': dict(lr_mult=10)},
    ),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=32),
    dict(type='MeanDisplacementHook', head='irn'),
    *_base_.shared_hooks,
]
