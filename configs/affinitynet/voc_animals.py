# Affinities on the trained dual branch of configs/best_voc_animals.py, which stays as it is: its
# pseudo labels teach the head, and its CAMs walk. Both labels are scored by
#   python tools/test.py configs/affinitynet/voc_animals.py
#     work_dirs/voc_animals/iter_400.pth --labels --split train
_base_ = '../best_voc_animals.py'
max_iters = 400
model = dict(
    heads=dict(
        affinity=dict(
            type='AffinityHead',
            in_channels=(32, 96, 192),
            channels=(32, 64, 128),
            radius=5,  # in cells of 8 pixels
            border='complete',
            # 28x28 cells of the CNN, 14x14 of the CNN, and of the transformer.
            reads=('cnn.layer3', 'cnn.layer5', 'patch'),
            detach=True,
        ),
    ),
    # What makes the labels of best_voc_animals.py at the end of its training.
    thresholds=dict(high=0.5),
    labels=dict(
        token=None,
        region=None,
        pixel=dict(cams=('aux', 'cnn', 'decoder')),
        walk=dict(
            type='RandomWalkLabels', cams=('aux', 'cnn', 'decoder'), alpha=16, beta=8, steps=256
        ),
    ),
    terms=dict(_delete_=True, affinity=dict(type='AffinityTerm', labels='pixel')),
)
load_part = dict(
    checkpoint='work_dirs/best_voc_animals/iter_1000.pth',
    modules=('backbone', 'cams', 'decode_head'),
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size={{_base_.crop_size}}, scale_range=(0.5, 2.0)),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    constructor='JointOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01),  # of the head, the rest has none
    paramwise_cfg=dict(head_lr_mult=1),
)
param_scheduler = dict(
    _delete_=True,
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = {{_base_.shared_hooks}}
