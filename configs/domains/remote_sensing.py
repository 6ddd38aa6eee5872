# Tiles of large scenes: docs/domains/remote_sensing.md. Tags are those of a tile, and windows that
# overlap segment a scene of any size.
_base_ = '../_base_/tagged_images.py'
data_root = 'data/remote_sensing'
classes = ('background', 'building', 'water', 'road')
variables = ('data_root', 'classes')  # what a config that inherits may set anew
data = dict(data_root=data_root, metainfo=dict(classes=classes))
window = _base_.crop_size
stride = window * 2 // 3
model = dict(
    decode_head=dict(num_classes=len(classes)),
    test_cfg=dict(mode='slide', crop_size=(window, window), stride=(stride, stride)),
)
train_pipeline = _base_.train_pipeline
# The ground has one scale, that of the sensor.
train_pipeline[1].scale_range = (0.8, 1.25)
# Scenes are not resized, so that a window sees what a crop of the training sees.
test_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='LoadAnnotations'),
    dict(type='PackWSSSInputs'),
]
tta_pipeline = [dict(type='LoadImageOrRaise'), _base_.tta_pipeline[2]]
train_dataloader = dict(dataset=dict(data, pipeline=train_pipeline))
val_dataloader = dict(batch_size=1, dataset=dict(data, pipeline=test_pipeline))
test_dataloader = dict(batch_size=1, dataset=dict(data, pipeline=test_pipeline))
