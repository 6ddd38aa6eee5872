# AffinityNet on ResNet-50 with output stride 8, PASCAL VOC 2012 train_aug, with weights that can be
# downloaded. It starts from configs/recam/voc_cam.py and goes on teaching the CAM, from which the
# labels of the affinities are made as it goes; the published code makes them once, with a dense CRF
# in place of PAR. (code) marks what the published code has and the paper does not say.
# tools/score_labels.py CONFIG CHECKPOINT scores the labels of the walk.
_base_ = '../recam/voc_cam.py'
crop_size = 448  # (code)
max_iters = 10576  # (code) 8 epochs, 8 images in a batch
model = dict(
    data_preprocessor=dict(size=(crop_size, crop_size)),
    # Levels 3 and 4 keep the grid of level 2, as in ResNet-38d.
    backbone=dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)),
    heads=dict(
        affinity=dict(
            type='AffinityHead',
            in_channels=(512, 1024, 2048),
            channels=(64, 128, 256),  # (code); paper: 128, 256, 512
            radius=5,  # in cells of 8 pixels
            border='published',
            reads=('layer2', 'layer3', 'layer4'),
        ),
    ),
    labels=dict(
        pairs=dict(
            type='AlphaLabels',
            cams=('final',),
            low_alpha=4,
            high_alpha=32,  # (code); paper: 24
            reads='layer4',
            refine=dict(type='PAR', num_iter=10),
        ),
        walk=dict(type='RandomWalkLabels', cams=('final',), alpha=16, beta=8, steps=256),
    ),
    terms=dict(affinity=dict(type='AffinityTerm', labels='pairs', weight=1.0)),
    multi_scale=dict(multiple=1),
)
load_part = dict(checkpoint='work_dirs/voc_cam/iter_3305.pth', modules=('backbone', 'cams.base'))
# (code) no change of scale.
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='RandomScaleCropWithBox', crop_size=crop_size, scale_range=(1.0, 1.0)),
    dict(
        type='MultiCropViews',
        views=('view1',),
        view1=dict(
            jitter=(0.3, 0.3, 0.3, 0.1), jitter_prob=1.0, grey_prob=0.0, blur_prob=0.0
        ),  # (code)
    ),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=train_pipeline))  # (code)
optim_wrapper = dict(
    # (code) its momentum is the number of the weight decay; paper: Adam, without its rate. The
    # classifier of the CAM has learnt already.
    optimizer=dict(lr=0.1, momentum=5e-4, weight_decay=5e-4),
    paramwise_cfg=dict(head_lr_mult=10, custom_keys={'cams.base': dict(head_lr_mult=1)}),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=8),
    *_base_.shared_hooks,
]
