# The dual-branch network: ResNet-50 beside ViT-B/16.
_base_ = './toco_vit_b.py'
num_classes = 20
model = dict(
    type='DualBranchSegmentor',
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
        loss_decode=dict(type='BalancedCrossEntropyLoss', loss_weight=0.1),  # w3 of eq. (13)
    ),
    cnn_cam_head=dict(
        type='CAMHead',
        in_channels=2048,
        num_classes=num_classes,
        pooling='avg',  # section 1.5
        loss_cls={{_base_.loss_cls}},
    ),
    # The paper is silent, ToCo takes the final CAM alone; the average made cleaner labels in
    # docs/results/voc_animals_readings.md.
    label_cams=((0, ('final', 'cnn')),),
    # lambda_1 = lambda_2 = 0.1 of eq. (1), section 2.1; L1 by Table 2. The paper is silent on which
    # branch it teaches; there the transformer alone was best.
    loss_consistency=dict(
        type='SemanticConsistencyLoss', norm='l1', loss_weight=0.1, detach='second'
    ),
)
