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
loss_cls = dict(type='MultiLabelSoftMarginLoss')  # eq. (9)
vit = dict(
    type='TimmVisionTransformer',
    # (ToCo) ImageNet-21k weights, tuned on 1k; timm's current default for the bare name differs.
    model_name='vit_base_patch16_224.orig_in21k_ft_in1k',
    pretrained=True,
    inner_blocks=(9,),  # "the 10th Transformer block", section 1.1
)
model = dict(
    type='TokenContrastSegmentor',
    data_preprocessor=data_preprocessor,
    backbone=vit,
    decode_head=dict(
        type='LargeFOVHead',
        in_channels=768,
        channels=512,
        num_classes=num_classes + 1,
        loss_decode=dict(type='BalancedCrossEntropyLoss', loss_weight=0.1),  # w3 of eq. (13)
    ),
    cam_head=dict(
        type='CAMHead', in_channels=768, num_classes=num_classes, pooling='max', loss_cls=loss_cls
    ),
    aux_cam_head=dict(
        type='CAMHead', in_channels=768, num_classes=num_classes, pooling='max', loss_cls=loss_cls
    ),
    projection_head=dict(type='ProjectionHead', in_channels=768),  # (ToCo)
    # (ToCo) AFA's numbers
    refinement=dict(type='PAR', num_iter=10, dilations=(1, 2, 4, 8, 12, 24), w1=0.3, w2=0.01),
    loss_ptc=dict(type='PatchTokenContrastLoss', loss_weight=0.2),  # w1 of eq. (13)
    loss_ctc=dict(type='ClassTokenContrastLoss', temperature=0.5, loss_weight=0.5),  # tau, w2
    thresholds=dict(low=0.25, high=0.7),  # th(l), th(0), section 2.1
    cam_scales=(1.0, 0.5, 1.5),  # (ToCo)
    loss_starts=dict(seg=2001),  # (ToCo) after iteration 2000; the paper is silent
    idle_losses='zero',  # (ToCo) weight 0 until then, so that AdamW counts the steps
    local_crops=dict(num=8, size=96, positive_threshold=0.2),  # 96: section 2.1; rest (ToCo)
    projection_momentum=0.9,  # (ToCo)
    test_cfg=dict(mode='whole', cam=True),
)
