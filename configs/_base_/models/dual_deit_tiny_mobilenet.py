# The dual-branch network: MobileNetV2 beside DeiT-tiny.
_base_ = './toco_deit_tiny.py'
model = dict(
    type='DualBranchSegmentor',
    backbone=dict(
        _delete_=True,
        type='DualBranchBackbone',
        vit={{_base_.vit}},
        cnn=dict(
            type='MobileNetV2',
            strides=(1, 2, 2, 2, 1, 1, 1),  # output stride 16, the transformer's 14x14 grid at 224
            out_indices=(6,),
            norm_eval=True,  # four images are too few for batch statistics
            init_cfg=dict(
                type='Pretrained',
                checkpoint='data/weights/mobilenet_v2_fp16.pth',
                prefix='backbone.',
            ),
        ),
        # 24, 32 and 96 channels: a reduction by 16, as with ResNet-50, would leave one hidden unit.
        modulation=dict(type='ActivationModulation', order='serial', reduction=4),
        # Its last layers at strides 4, 8 and 16 when pretrained, as stages 1 to 3 of ResNet-50.
        modulated_stages=('layer2', 'layer3', 'layer5'),
        # On the stage output, the paper's words, the CNN lost what it was pretrained on: see
        # docs/results/voc_animals_readings.md.
        placement='residual',
    ),
    cnn_cam_head=dict(
        type='CAMHead',
        in_channels=320,
        num_classes={{_base_.num_classes}},
        pooling='avg',
        loss_cls={{_base_.loss_cls}},
    ),
    # The paper does not say whose CAM makes the label. Both together make cleaner labels than
    # either: see docs/results/voc_animals_readings.md.
    label_cams=((0, ('final', 'cnn')),),
    # Nor which branch loss (1) teaches. Where the CNN learns from it too, the whole method is lower
    # with one seed of three and no better with the others: see the same page.
    loss_consistency=dict(
        type='SemanticConsistencyLoss', norm='l1', loss_weight=0.1, detach='second'
    ),
)
