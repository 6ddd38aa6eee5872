# The dual-branch network for images of 96 pixels, trained from random weights.
# Group norm, because there are no pretrained statistics to keep.
num_classes = 6
width = 64
data_preprocessor = dict(
    type='MultiViewDataPreProcessor',
    size=(96, 96),
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=255,
)
vit = dict(
    type='TimmVisionTransformer',
    model_name='vit_tiny_patch16_224',
    freeze_position_embedding=False,  # nothing learnt that could be kept
    model_args=dict(img_size=96, patch_size=8, embed_dim=width, depth=4, num_heads=4),
)
cnn = dict(
    type='ResNet',
    depth=18,
    base_channels=16,
    stem_channels=16,
    strides=(1, 2, 1, 1),  # output stride 8, the transformer's grid
    dilations=(1, 1, 1, 1),
    norm_cfg=dict(type='GN', num_groups=4, requires_grad=True),
)
token_cam_head = dict(type='CAMHead', in_channels=width, pooling='max')
decode_head = dict(
    type='ConvMLPHead',
    in_channels=width,
    embed_channels=64,
    hidden_channels=64,
    channels=64,
    num_classes=num_classes + 1,
)
model = dict(
    type='WeakSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=dict(
        type='DualBranchBackbone',
        vit=vit,
        cnn=cnn,
        # 16 to 64 channels: the usual reduction by 16 would leave one to four hidden units.
        modulation=dict(type='ActivationModulation', order='serial', reduction=4),
        modulated_stages=('layer1', 'layer2', 'layer3'),
        # On the stage output, the gates kept a CNN of random weights from learning.
        placement='residual',
    ),
    decode_head=decode_head,
    decode_reads='patch',
    cams=dict(
        final=dict(token_cam_head, reads='patch'),
        aux=dict(token_cam_head, reads='inner.2'),
        cnn=dict(type='CAMHead', reads='cnn', in_channels=128, pooling='avg'),
    ),
    multi_scale=dict(scales=(1.0, 0.5, 1.5)),
    # CAMs of classes that differ in a small part only are low on the rest of the object.
    thresholds=dict(low=0.03, high=0.3),
    labels=dict(
        pixel=dict(
            type='PixelLabels',
            cams=('final', 'cnn'),
            # Distances that fit an image of 48 pixels, half the size, where it works.
            refine=dict(type='PAR', num_iter=10, dilations=(1, 2, 4, 8), w1=0.3, w2=0.01),
            scale=0.5,
        ),
        # The auxiliary CAM alone often shows the part only and calls the rest background.
        token=dict(type='TokenLabels', cams=('aux', 'cnn')),
        region=dict(type='RegionMask', cams=('aux',)),
    ),
    terms=dict(
        cls=dict(type='ClassificationTerm', loss=dict(type='MultiLabelSoftMarginLoss')),
        consistency=dict(
            type='ConsistencyTerm',
            pairs=(('aux', 'cnn'), ('final', 'cnn')),
            loss=dict(type='SemanticConsistencyLoss', norm='l1'),
            # At the paper's 0.1, which class of a pair keeps the body they share, and so the
            # result, differs more from seed to seed.
            weight=1.0,
        ),
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
            projection_head=dict(
                type='ProjectionHead',
                in_channels=width,
                hidden_channels=128,
                bottleneck_channels=32,
                out_channels=128,
            ),
            momentum=0.9,
            # A third of the image's side.
            local_crops=dict(num=8, size=32, positive_threshold=0.2),
            weight=0.1,
        ),
        seg=dict(
            type='SegmentationTerm',
            labels='pixel',
            # From random weights the decoder needs more than the paper's 0.1; equal shares of
            # foreground and background predicted too much foreground around the objects.
            loss=dict(type='BalancedCrossEntropyLoss', foreground_weight=0.2),
            weight=2.0,
        ),
    ),
    test_cfg=dict(mode='whole', cam=True),
)
