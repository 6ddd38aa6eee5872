# The shapes with the tags that dropped_tags.py leaves, in two thirds of the iterations.
_base_ = '../../../configs/dual_vit_r18_shapes.py'
max_iters = 1000
warmup = 66
start = 400
classes = (
    'background',
    'disc_red',
    'disc_cyan',
    'box_yellow',
    'box_magenta',
    'triangle_violet',
    'triangle_orange',
)
model = dict(
    terms=dict(
        consistency=dict(start=start),
        ptc=dict(start=start),
        ctc=dict(start=start),
        seg=dict(start=start),
    ),
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ImageTagDataset',
        data_root='data/shapes',
        ann_file='tags_dropped.json',
        list_file='ImageSets/Segmentation/train.txt',
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        metainfo=dict(classes=classes),
        pipeline={{_base_.train_pipeline}},
    ),
)
param_scheduler = dict(
    _delete_=True,
    vit=[
        dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=warmup + 1),
        dict(
            type='MultiStepLR',
            milestones=[warmup],
            gamma=(1 - warmup / max_iters) ** 0.9,
            by_epoch=False,
        ),
        dict(type='PolyLR', power=0.9, by_epoch=False, begin=warmup, end=max_iters + 1),
    ],
    cnn=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=100000)
default_hooks = dict(checkpoint=dict(interval=200, max_keep_ckpts=10))
