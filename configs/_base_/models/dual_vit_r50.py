# The dual-branch network: ResNet-50 beside ViT-B/16.
_base_ = './toco_vit_b.py'
num_classes = 20
model = dict(
    backbone=dict(
        _delete_=True,
        type='DualBranchBackbone',
        vit={{_base_.vit}},
        cnn=dict(
            type='ResNet',
            depth=50,
            # Output stride 16 gives the transformer's 28x28 grid at 448; the paper is silent.
            strides=(1, 2, 2, 1),
            dilations=(1, 1, 1, 1),
            norm_cfg=dict(type='BN', requires_grad=True),
            norm_eval=True,  # two images per GPU are too few for batch statistics
            init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
        ),
        modulation=dict(type='ActivationModulation', order='serial'),  # Table 5
        modulated_stages=('layer1', 'layer2', 'layer3'),  # section 1.2
        # In their blocks, before the addition. 'stage', on the stage's output, is the paper's words
        # taken literally; a pretrained CNN lost what it knew: docs/results/voc_animals_readings.md.
        placement='residual',
    ),
    decode_head=dict(
        _delete_=True,
        type='ConvMLPHead',  # section 2.1: two 3x3, one 1x1 convolution and an MLP layer
        in_channels=768,
        num_classes=num_classes + 1,
    ),
    # Average pooling: section 1.5.
    cams=dict(cnn=dict(type='CAMHead', reads='cnn', in_channels=2048, pooling='avg')),
    # The paper is silent, ToCo takes the final CAM alone; the average made cleaner labels in
    # docs/results/voc_animals_readings.md.
    labels=dict(pixel=dict(cams=('final', 'cnn'))),
    terms=dict(
        consistency=dict(
            type='ConsistencyTerm',
            pairs=(('aux', 'cnn'), ('final', 'cnn')),  # eq. (1)
            # L1 by Table 2. The paper is silent on which branch it teaches; there the transformer
            # alone was best.
            loss=dict(type='SemanticConsistencyLoss', norm='l1', detach='second'),
            weight=0.1,  # lambda_1 = lambda_2, section 2.1
        ),
    ),
)
