# AffinityNet's CAM network with ResNet-38d, PASCAL VOC 2012 train_aug. (code) marks what the
# published code has; the paper's Adam and 3x3x512 layer before the CAM are in the comments.
# Make the weights before: python tools/convert_r38.py ilsvrc-cls_rna-a1_cls1000_ep-0001.params
# data/weights/r38.pth
_base_ = '../recam/voc_cam.py'
crop_size = 448  # (code)
max_iters = 9915  # (code) 15 epochs of 661 batches
model = dict(
    data_preprocessor=dict(size=(crop_size, crop_size)),
    backbone=dict(
        _delete_=True,
        type='WideResNet38',
        pretrained='data/weights/r38.pth',
        cam_channels=None,  # paper: 512
        cam_dropout=0.5,  # (code)
    ),
    cams=dict(
        base=None,
        final=dict(
            _delete_=True,
            type='CAMHead',
            reads='cam',
            in_channels=4096,
            num_classes={{_base_.num_classes}},
            pooling='avg',
        ),
    ),
    terms=dict(cls=dict(cams=('final',))),
    multi_scale=dict(multiple=1),
    test_cfg=dict(cam_threshold=0.2),  # (code)
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(
        type='RandomChoiceResize',
        scales=[(side, side) for side in range(256, 513, 16)],  # (code)
        interpolation='bicubic',
    ),
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
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_evaluator = dict(cam_threshold=0.2)
test_evaluator = dict(cam_threshold=0.2)
optim_wrapper = dict(
    # (code) its momentum is the number of the weight decay; paper: Adam, without its rate.
    optimizer=dict(lr=0.1, momentum=5e-4, weight_decay=5e-4),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
