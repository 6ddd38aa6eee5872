# ClusterCAM on the generated shapes, from random weights; the transformer's size, the decoder's
# width, the batch and the budget are those of all rows on the shapes.
_base_ = '../ablations/shapes/toco_shapes.py'
maps = _base_.vit.model_args.depth * _base_.vit.model_args.num_heads * _base_.num_classes
segmentation = _base_.model.terms.seg
pixel = _base_.model.labels.pixel
pixel.refine.eps = 1e-5
model = dict(
    _delete_=True,
    type='WeakSegmentor',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(
        type='ClusterVisionTransformer',
        model_name=_base_.vit.model_name,
        num_classes=_base_.num_classes,
        steps=3,
        mean_blocks=3,
        model_args=_base_.vit.model_args,
    ),
    decode_head=dict(
        type='LargeFOVHead',
        in_channels=(_base_.width, maps),
        in_index=(0, 1),
        input_transform='resize_concat',
        channels=64,
        # A field of view that fits a grid of 12 cells.
        dilation=2,
        num_classes=_base_.num_classes + 1,
    ),
    decode_reads=('patch', 'class_to_patch'),
    cams=dict(
        final=dict(
            type='AttentionCAMHead',
            in_channels=_base_.width + maps,
            bias_in_cam=False,
            reads=('patch', 'class_to_patch'),
        )
    ),
    multi_scale=dict(scales=(1.0, 0.75, 1.25)),
    thresholds=_base_.model.thresholds,
    labels=dict(pixel=pixel),
    terms=dict(
        maps=dict(type='ClassificationTerm', cams=('final',)),
        tokens=dict(type='ClassificationTerm', reads='class_tokens'),
        seg=segmentation,
    ),
    test_cfg=dict(mode='whole', cam=True),
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
