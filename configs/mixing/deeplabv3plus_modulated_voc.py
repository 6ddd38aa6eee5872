# MMSegmentation's own DeepLabV3+ on exported labels, with two parts of the plugin: its neck
# modulates the activations, and an auxiliary head classifies images by their tags.
_base_ = '../segmentors/deeplabv3plus_r50_voc.py'
model = dict(
    neck=dict(type='ActivationModulationNeck', in_channels=[256, 512, 1024, 2048]),
    auxiliary_head=[
        {{_base_.model.auxiliary_head}},
        dict(
            type='CAMHead',
            in_channels=2048,
            in_index=3,
            num_classes={{_base_.num_classes}},
            pooling='avg',
            loss_cls=dict(type='MultiLabelSoftMarginLoss', loss_weight=0.4),
        ),
    ],
)
# PackSegInputs would lose the tags.
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackWSSSInputs')]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
