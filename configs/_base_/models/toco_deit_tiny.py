# ToCo with DeiT-tiny at 224 pixels. What differs from toco_vit_b.py is sizes and weights, and the
# decoder, which is that of the dual-branch network, so that rows differ in their branches only.
num_classes = 6
width = 192
data_preprocessor = dict(
    type='MultiViewDataPreProcessor',
    size=(224, 224),
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
vit = dict(
    type='TimmVisionTransformer',
    model_name='deit_tiny_patch16_224',
    # Any file with timm's names; True downloads timm's own.
    pretrained='data/weights/deit_tiny_patch16_224_fp16.pth',
)
token_cam_head = dict(
    type='CAMHead',
    in_channels=width,
    pooling='max',
    # The paper is silent. Half of PyTorch's deviation for these 192 channels, with which the seed
    # decides whether a CAM takes surroundings for animals: docs/results/voc_animals_readings.md
    init_cfg=dict(type='Normal', layer='Conv2d', std=0.02),
)
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=vit,
    decode_head=dict(
        type='ConvMLPHead', in_channels=width, hidden_channels=144, num_classes=num_classes + 1
    ),
    decode_reads='patch',
    cams=dict(
        final=dict(token_cam_head, reads='patch'),
        aux=dict(token_cam_head, reads='inner.9'),
    ),
    multi_scale=dict(scales=(1.0, 0.5, 1.5)),
    thresholds=dict(low=0.25, high=0.7),
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final',),
            refine=dict(type='PAR', num_iter=10, dilations=(1, 2, 4, 8, 12, 24), w1=0.3, w2=0.01),
            scale=0.5,
        ),
        token=dict(type='TokenLabels', cams=('aux',)),
        region=dict(type='RegionMask', cams=('aux',)),
    ),
    terms=dict(
        cls=dict(type='ClassificationTerm', loss=dict(type='MultiLabelSoftMarginLoss')),
        ptc=dict(
            type='PatchTokenContrastTerm',
            labels='token',
            loss=dict(type='PatchTokenContrastLoss'),
            weight=0.2,
        ),
        ctc=dict(
            type='ClassTokenContrastTerm',
            labels='region',
            loss=dict(type='ClassTokenContrastLoss', temperature=0.5),
            projection_head=dict(type='ProjectionHead', in_channels=width),
            momentum=0.9,
            local_crops=dict(num=8, size=64, positive_threshold=0.2),
            weight=0.5,
        ),
        seg=dict(
            type='SegmentationTerm',
            labels='pixel',
            loss=dict(type='BalancedCrossEntropyLoss'),
            weight=0.1,
        ),
    ),
    test_cfg=dict(mode='whole', cam=True),
)
