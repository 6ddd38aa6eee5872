# ToCo with its own decoder.
_base_ = './toco.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='LargeFOVHead',
        in_channels={{_base_.width}},
        channels=512,
        num_classes={{_base_.model.decode_head.num_classes}},
    ),
)
