# MCTformer-V2 on the generated shapes, from random weights; the transformer's size, the batch and
# the budget are those of all rows on the shapes. It makes CAMs of images with tags; no decoder.
_base_ = '../ablations/shapes/toco_shapes.py'
model = dict(
    _delete_=True,
    type='WeakSegmentor',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(
        type='ClusterVisionTransformer',
        model_name=_base_.vit.model_name,
        num_classes=_base_.num_classes,
        steps=0,
        mean_blocks=3,
        model_args=_base_.vit.model_args,
    ),
    cams=dict(
        final=dict(
            type='AttentionCAMHead', in_channels=_base_.width, num_classes=_base_.num_classes
        )
    ),
    terms=dict(
        maps=dict(type='ClassificationTerm', cams=('final',)),
        tokens=dict(type='ClassificationTerm', reads='class_tokens'),
    ),
    multi_scale=dict(scales=(1.0,), flip='sum', normalise='minmax', eps=1e-8),
    test_cfg=dict(mode='whole', cam=True, cam_threshold=_base_.test_evaluator.cam_threshold),
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
