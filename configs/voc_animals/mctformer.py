# MCTformer-V2 with DeiT-tiny: CAMs of images with tags; no decoder. 3000 iterations instead of the
# 1000 of the other rows, because all class tokens start alike. Optimiser, images and
# augmentation are those of toco.py.
_base_ = [
    '../_base_/models/toco_deit_tiny.py',
    '../_base_/datasets/voc_animals.py',
    '../_base_/schedules/voc_animals_3000.py',
    '../_base_/default_runtime.py',
]
threshold = 0.43  # MCTformer's code looks for the best on train, WeakTr's has this one.
model = dict(
    _delete_=True,
    type='WeakSegmentor',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(
        type='ClusterVisionTransformer',
        model_name=_base_.vit.model_name,
        pretrained=_base_.vit.pretrained,
        num_classes=_base_.num_classes,
        steps=0,
        mean_blocks=3,
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
    test_cfg=dict(mode='whole', cam=True, cam_threshold=threshold),
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_evaluator = dict(cam_threshold=threshold)
test_evaluator = val_evaluator
