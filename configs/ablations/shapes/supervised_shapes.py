# Full supervision on the shapes: the same transformer and decoder, batch, iterations and schedule,
# trained on the true masks.
_base_ = './toco_shapes.py'
model = dict(
    _delete_=True,
    type='EncoderDecoder',
    data_preprocessor={{_base_.model.data_preprocessor}},
    backbone={{_base_.model.backbone}},
    decode_head=dict(
        type={{_base_.model.decode_head.type}},
        in_channels={{_base_.model.decode_head.in_channels}},
        embed_channels={{_base_.model.decode_head.embed_channels}},
        hidden_channels={{_base_.model.decode_head.hidden_channels}},
        channels={{_base_.model.decode_head.channels}},
        num_classes={{_base_.model.decode_head.num_classes}},
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    test_cfg=dict(mode='whole'),
)
train_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='LoadAnnotations'),
    dict(type='RandomScaleCropWithBox', crop_size={{_base_.image_size}}, scale_range=(0.8, 1.25)),
    dict(type='PackWSSSInputs'),
]
train_dataloader = dict(dataset=dict(load_masks=True, pipeline=train_pipeline))
