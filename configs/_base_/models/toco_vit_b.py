# ToCo with ViT-B/16; (ToCo) marks that method's published settings.
num_classes = 20
data_preprocessor = dict(
    type='MultiViewDataPreProcessor',
    size=(448, 448),  # of training images without views, which are padded to it
    mean=[123.675, 116.28, 103.53],  # (ToCo) ImageNet statistics for every set of weights
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
vit = dict(
    type='TimmVisionTransformer',
    # (ToCo) ImageNet-21k weights, tuned on 1k; timm's current default for the bare name differs.
    model_name='vit_base_patch16_224.orig_in21k_ft_in1k',
    pretrained=True,
)
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=vit,
    decode_head=dict(
        type='LargeFOVHead', in_channels=768, channels=512, num_classes=num_classes + 1
    ),
    decode_reads='patch',
    cams=dict(
        final=dict(type='CAMHead', reads='patch', in_channels=768, pooling='max'),
        # "the 10th Transformer block", section 1.1
        aux=dict(type='CAMHead', reads='inner.9', in_channels=768, pooling='max'),
    ),
    multi_scale=dict(scales=(1.0, 0.5, 1.5)),  # (ToCo)
    thresholds=dict(low=0.25, high=0.7),  # th(l), th(0), section 2.1
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final',),
            # (ToCo) AFA's numbers
            refine=dict(type='PAR', num_iter=10, dilations=(1, 2, 4, 8, 12, 24), w1=0.3, w2=0.01),
            scale=0.5,
        ),
        token=dict(type='TokenLabels', cams=('aux',)),
        region=dict(type='RegionMask', cams=('aux',)),
    ),
    # (ToCo) idle='zero': weight 0 until the start, so that AdamW counts the steps.
    terms=dict(
        cls=dict(type='ClassificationTerm', loss=dict(type='MultiLabelSoftMarginLoss')),  # eq. (9)
        ptc=dict(
            type='PatchTokenContrastTerm',
            labels='token',
            loss=dict(type='PatchTokenContrastLoss'),
            weight=0.2,  # w1 of eq. (13)
        ),
        ctc=dict(
            type='ClassTokenContrastTerm',
            labels='region',
            loss=dict(type='ClassTokenContrastLoss', temperature=0.5),  # tau
            projection_head=dict(type='ProjectionHead', in_channels=768),  # (ToCo)
            momentum=0.9,  # (ToCo)
            local_crops=dict(
                num=8, size=96, positive_threshold=0.2
            ),  # 96: section 2.1; rest (ToCo)
            weight=0.5,  # w2
            idle='zero',
        ),
        seg=dict(
            type='SegmentationTerm',
            labels='pixel',
            loss=dict(type='BalancedCrossEntropyLoss'),
            weight=0.1,  # w3
            start=2001,  # (ToCo) after iteration 2000; the paper is silent
            idle='zero',
        ),
    ),
    test_cfg=dict(mode='whole', cam=True),
)
