# ClusterCAM with DeiT-tiny. 3000 iterations instead of the 1000 of the other rows, because all
# class tokens start alike; classification alone for the first 62.5 %. Optimiser, images and
# augmentation are those of toco.py, the rest is (released) where it is said.
_base_ = [
    '../_base_/models/toco_deit_tiny.py',
    '../_base_/datasets/voc_animals.py',
    '../_base_/schedules/voc_animals_3000.py',
    '../_base_/default_runtime.py',
]
maps = 12 * 3 * _base_.num_classes  # blocks, heads, classes
pixel = _base_.model.labels.pixel
pixel.refine.eps = 1e-5  # (released)
model = dict(
    _delete_=True,
    type='WeakSegmentor',
    data_preprocessor=_base_.data_preprocessor,
    backbone=dict(
        type='ClusterVisionTransformer',
        model_name=_base_.vit.model_name,
        pretrained=_base_.vit.pretrained,
        num_classes=_base_.num_classes,
        steps=3,  # (released)
        mean_blocks=3,  # (released)
    ),
    decode_head=dict(
        type='LargeFOVHead',
        in_channels=(_base_.width, maps),
        in_index=(0, 1),
        input_transform='resize_concat',
        channels=256,
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
    multi_scale=dict(scales=(1.0, 5 / 7, 9 / 7)),  # whole patches; (released) 0.75 and 1.25
    thresholds=dict(low=0.3, high=0.5),  # (released)
    labels=dict(pixel=pixel),
    terms=dict(
        maps=dict(type='ClassificationTerm', cams=('final',)),
        tokens=dict(type='ClassificationTerm', reads='class_tokens'),
        seg=dict(
            type='SegmentationTerm',
            labels='pixel',
            loss=dict(type='BalancedCrossEntropyLoss'),
            weight=0.1,  # (released)
            start=50 / 80,  # (released)
        ),
    ),
    test_cfg=dict(mode='whole', cam=True),
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_evaluator = dict(cam_threshold=0.4)  # (released)
test_evaluator = val_evaluator
