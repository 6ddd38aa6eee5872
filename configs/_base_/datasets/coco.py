# MS COCO 2014 with image-level tags: 82081 training, 40137 validation images (section 2.1), those
# with objects. tools/convert_coco.py makes the masks of the evaluation, once, from
# annotations/instances_val2014.json; their folder is masks/val2014.
_base_ = './voc.py'
data_root = 'data/coco'
train_dataloader = dict(
    batch_size=2,  # (ToCo) 4 GPUs x 2; the paper's batch of 8, section 2.1
    dataset=dict(
        type='COCOTagDataset',
        data_root=data_root,
        ann_file='annotations/instances_train2014.json',
        data_prefix=dict(img_path='train2014'),
    ),
)
test_set = dict(
    type='COCOTagDataset',
    data_root=data_root,
    ann_file='annotations/instances_val2014.json',
    data_prefix=dict(img_path='val2014', seg_map_path='masks/val2014'),
)
# (ToCo) 5000 images while training; here they are the first.
val_dataloader = dict(dataset=dict(test_set, indices=5000))
test_pipeline = {{_base_.val_pipeline}}
test_dataloader = dict(dataset=dict(test_set, pipeline=test_pipeline))
# (ToCo) resized to 448x448 before the scales; maximum over the flips, sum over the scales.
tta_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(type='Resize', scale={{_base_.val_size}}, keep_ratio=False),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale_factor=s, keep_ratio=True) for s in (1.0, 1.25, 1.5)],
            [dict(type='RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWSSSInputs')],
        ],
    ),
]
tta_model = dict(flip_fusion='max', scale_fusion='sum')
val_evaluator = dict(cam_threshold=0.45)  # (ToCo)
test_evaluator = dict(cam_threshold=0.45)  # (ToCo)
