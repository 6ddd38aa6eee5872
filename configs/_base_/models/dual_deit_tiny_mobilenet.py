# The dual-branch network: MobileNetV2 beside DeiT-tiny.
_base_ = './toco_deit_tiny.py'
model = dict(
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
    cams=dict(cnn=dict(type='CAMHead', reads='cnn', in_channels=320, pooling='avg')),
    # The paper does not say whose CAM makes the label. Both together make cleaner labels than
    # either: see docs/results/voc_animals_readings.md.
    labels=dict(pixel=dict(cams=('final', 'cnn'))),
    terms=dict(
        consistency=dict(
            type='ConsistencyTerm',
            pairs=(('aux', 'cnn'), ('final', 'cnn')),
            # Nor which branch it teaches. Where the CNN learns from it too, the whole method is
            # lower with one seed of three and no better with the others: see the same page.
            loss=dict(type='SemanticConsistencyLoss', norm='l1', detach='second'),
            weight=0.1,
        ),
    ),
)
