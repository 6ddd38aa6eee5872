# The CAM of the modulated CNN alone; model.backbone.modulation=None leaves the gates out.
_base_ = '../../../configs/voc_animals/cam_mobilenet.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='DualBranchBackbone',
        vit=dict(
            type='TimmVisionTransformer', model_name='deit_tiny_patch16_224', frozen_stages=12
        ),
        cnn={{_base_.model.backbone}},
        modulation=dict(type='ActivationModulation', reduction=4),
        modulated_stages=('layer2', 'layer3', 'layer5'),
        placement='residual',
    ),
    cams=dict(final=dict(reads='cnn')),
)
