# AffinityNet's affinities on ResNet-38d, PASCAL VOC 2012 train_aug, from the network of
# voc_r38_cam.py. The CAM is taught on, and the labels of the affinities are made of it as it goes;
# the published code makes them once, with a dense CRF in place of PAR, and trains another network.
# (code) marks what the published code has and the paper does not say. paper: 58.7 val mIoU of the
# labels after the walk and a dense CRF.
_base_ = './voc_r38_cam.py'
crop_size = 448  # (code)
max_iters = 10576  # (code) 8 epochs, 8 images in a batch
model = dict(
    heads=dict(
        affinity=dict(
            type='AffinityHead',
            in_channels=(512, 1024, 4096),
            channels=(64, 128, 256),  # (code); paper: 128, 256, 512
            radius=5,  # in cells of 8 pixels
            border='published',  # (code)
            reads=('conv4', 'conv5', 'conv6'),
        ),
    ),
    labels=dict(
        pairs=dict(
            type='AlphaLabels',
            cams=('final',),
            low_alpha=4,
            high_alpha=32,  # (code); paper: 24
            reads='conv6',
            refine=dict(type='PAR', num_iter=10),
        ),
        walk=dict(type='RandomWalkLabels', cams=('final',), alpha=16, beta=8, steps=256),
    ),
    terms=dict(affinity=dict(type='AffinityTerm', labels='pairs', weight=1.0)),
)
load_part = dict(
    checkpoint='work_dirs/voc_r38_cam/iter_9915.pth', modules=('backbone', 'cams.final')
)
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
    # The classifier of the CAM has learnt already. Rate and momentum are those of voc_r38_cam.py.
    paramwise_cfg=dict(head_lr_mult=10, custom_keys={'cams.final': dict(head_lr_mult=1)}),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=8),
    *_base_.shared_hooks,
]
