# MCTformer-V2 (CVPR 2022) with DeiT-S, PASCAL VOC 2012 train_aug; 64 images of 224 pixels. (MCT)
# marks the released code's settings. It makes CAMs of images with tags; there is no decoder.
# published, quoted: 71.9 val, 71.6 test at the end of a chain: these CAMs, an affinity network
# (alpha 1 and 12, 2^6 steps, background 0.39), a ResNet-38 on its labels. Users report CAMs of
# 57.3 to 58.7 and, after the affinity network, 61.7 on train.
_base_ = [
    '../_base_/datasets/voc.py',
    '../_base_/datasets/timm_augmentation.py',
    '../_base_/schedules/class_tokens.py',
    '../_base_/default_runtime.py',
]
num_classes = 20
model = dict(
    type='WeakSegmentor',
    data_preprocessor=dict(
        type='MultiViewDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='ClusterVisionTransformer',
        model_name='deit_small_patch16_224.fb_in1k',
        pretrained=True,
        num_classes=num_classes,
        steps=0,  # no clusters
        mean_blocks=3,  # (MCT)
        model_args=dict(drop_path_rate=0.1),  # (MCT)
    ),
    cams=dict(
        final=dict(
            type='AttentionCAMHead',
            in_channels=384,
            num_classes=num_classes,
            kernel_size=3,  # (MCT)
            reads='patch',
            times='class_to_patch.mean',
            spread='patch_to_patch',
        )
    ),
    terms=dict(
        maps=dict(type='ClassificationTerm', cams=('final',)),
        tokens=dict(type='ClassificationTerm', reads='class_tokens'),
    ),
    # (MCT) one scale with flip
    multi_scale=dict(scales=(1.0,), flip='sum', normalise='minmax', eps=1e-8),
    # (MCT) 0.43 is WeakTr's; the released code looks for the best threshold on train.
    test_cfg=dict(mode='whole', cam=True, cam_threshold=0.43),
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(_base_.random_part, scale=224),  # (MCT)
    dict(type='RandomFlip', prob=0.5),
    _base_.random_augmentation,
    _base_.random_erasing,
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))  # (MCT)
sweep = tuple(step / 20 for step in range(1, 19))
val_evaluator = dict(cam_threshold=0.43, cam_threshold_sweep=sweep)
test_evaluator = val_evaluator
# (MCT) 60 epochs of 165 steps
max_iters = 9900
param_scheduler = dict(
    model=[
        dict(_base_.warm_up, start_factor=1e-6 / 6.25e-5, end=max_iters // 12),
        dict(_base_.cosine, begin=max_iters // 12, end=max_iters, eta_min=1e-5),
    ]
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)  # the last one is taken
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=64),
    *_base_.shared_hooks,
]
