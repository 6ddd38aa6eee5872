# DeepLabV2 with ResNet-101, the second stage of most papers of the field, on exported labels of
# VOC. (paper) marks Chen et al., DeepLab, TPAMI 2018, section 4; (code) the PyTorch version that
# ReCAM and others train, github.com/kazuto1011/deeplab-pytorch, configs/voc12.yaml. It starts from
# weights of COCO's masks; these are of ImageNet alone, since tags are all that may be known.
# Left out: the loss on three scales and their maximum.
_base_ = [
    '../_base_/datasets/voc_labels.py',
    '../_base_/schedules/deeplab_20k.py',
    '../_base_/segmentor_runtime.py',
]
num_classes = 20
crop_size = (321, 321)  # (paper), (code)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        size=crop_size,
        mean=[123.675, 116.28, 103.53],  # of the weights
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='ResNet',
        depth=101,
        out_indices=(3,),
        strides=(1, 2, 1, 1),  # (paper) output stride 8
        dilations=(1, 1, 2, 4),
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=True,  # (code)
        style='pytorch',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101'),
    ),
    decode_head=dict(
        type='DeepLabV2Head',
        in_channels=2048,
        in_index=-1,
        rates=(6, 12, 18, 24),  # (paper), the variant "ASPP-L"
        num_classes=num_classes + 1,
        align_corners=False,
        # (paper) ignored pixels do not count.
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    # (paper) 0.5 to 1.5; VOC's images have a long side of 500.
    dict(type='RandomResize', scale=(500, 500), ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),  # (code)
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(batch_size=10, dataset=dict(pipeline=train_pipeline))  # (paper), (code)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
optim_wrapper = dict(
    optimizer=dict(lr=2.5e-4),  # (paper), (code); momentum 0.9 and weight decay 5e-4 too
    paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.0))),  # (paper), (code)
)
param_scheduler = [
    dict(type='PolyLR', eta_min=0.0, power=0.9, begin=0, end=20000, by_epoch=False),  # (paper)
]
