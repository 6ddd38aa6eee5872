# IRN on the generated shapes: boundaries from ReCAM's labels, on its network, which stays as it is.
# Train configs/recam/shapes_second_run.py before. The labels of the walk are scored by
# tools/score_labels.py with --labels walk.
_base_ = './shapes.py'
max_iters = 500
model = dict(
    backbone=dict(frozen_stages=4),
    heads=dict(
        irn=dict(
            type='IRNHead',
            in_channels=(16, 16, 32, 64, 128),
            scales=(1, 1, 2, 2, 2),  # 24x24 and 12x12 cells of images of 96 pixels
            radius=6,  # in cells of 4 pixels
            border='complete',
            edge_channels=16,
            channels=(16, 32, 32),
            reads=('maxpool', 'layer1', 'layer2', 'layer3', 'layer4'),
        ),
    ),
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final',),
            thresholds=dict(low=0.10, high=0.35),  # published, before a CRF
            refine=dict(type='PAR', num_iter=10, dilations=(1, 2, 4, 8), w1=0.3, w2=0.01),
            scale=0.5,
        ),
        walk=dict(
            type='BoundaryWalkLabels', cams=('final',), threshold=0.28, radius=3, beta=10, steps=256
        ),
    ),
    terms=dict(_delete_=True, irn=dict(type='IRNTerm', labels='pixel', head='irn')),
)
load_part = dict(
    checkpoint='work_dirs/shapes_second_run/iter_1500.pth', modules=('backbone', 'cams')
)
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    constructor='JointOptimWrapperConstructor',
    optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4),
    # Published: 0.1 for the boundaries, 1.0 for the displacements.
    paramwise_cfg=dict(head_lr_mult=1, custom_keys={'heads.irn.displacement': dict(lr_mult=10)}),
)
param_scheduler = dict(
    _delete_=True,
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='MeanDisplacementHook', head='irn'),
    *_base_.shared_hooks,
]
