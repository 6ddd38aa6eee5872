# Full supervision on the shapes: the same transformer and decoder, batch, iterations and schedule,
# trained on the true masks.
_base_ = './toco_shapes.py'
model = dict(
    _delete_=True,
    type='WeakSegmentor',
    data_preprocessor={{_base_.model.data_preprocessor}},
    backbone={{_base_.model.backbone}},
    decode_head={{_base_.model.decode_head}},
    decode_reads={{_base_.model.decode_reads}},
    labels=dict(true=dict(type='TrueLabels')),
    terms=dict(
        seg=dict(
            type='SegmentationTerm',
            labels='true',
            loss=dict(type='CrossEntropyLoss', avg_non_ignore=True),
        ),
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
