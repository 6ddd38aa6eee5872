# MCTformer-V2 with DeiT-S, MS COCO 2014; 64 images of 224 pixels, all else as on VOC. (MCT) marks
# the released code's settings.
# published, quoted: 42.0 val at the end of a chain of which no code for COCO was released.
_base_ = './voc.py'
num_classes = 80
model = dict(
    backbone=dict(num_classes=num_classes),
    cams=dict(final=dict(num_classes=num_classes)),
)
data_root = 'data/coco'
train_dataloader = dict(
    dataset=dict(
        type='COCOTagDataset',
        data_root=data_root,
        ann_file='annotations/instances_train2014.json',
        data_prefix=dict(img_path='train2014'),
    )
)
test_set = dict(
    type='COCOTagDataset',
    data_root=data_root,
    ann_file='annotations/instances_val2014.json',
    data_prefix=dict(img_path='val2014', seg_map_path='masks/val2014'),
)
val_dataloader = dict(dataset=dict(test_set, indices=5000))
test_dataloader = dict(dataset=test_set)
max_iters = 76920  # (MCT) 60 epochs of 1282 steps
param_scheduler = dict(
    model=[
        dict(_base_.warm_up, start_factor=1e-6 / 6.25e-5, end=max_iters // 12),
        dict(_base_.cosine, begin=max_iters // 12, end=max_iters, eta_min=1e-5),
    ]
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
