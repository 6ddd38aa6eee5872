# First run of ReCAM, MS COCO 2014. (code) marks what the published code has and the paper does not
# say. Its list keeps the 702 images without an object, this data set leaves them out.
_base_ = './voc_cam.py'
data_root = 'data/coco'
num_classes = 80
max_iters = 25865  # (code) 5 epochs of 82783 images, 16 in a batch
train_dataloader = dict(
    dataset=dict(
        type='COCOTagDataset',
        data_root=data_root,
        ann_file='annotations/instances_train2014.json',
        data_prefix=dict(img_path='train2014'),
    ),
)
# Masks of the training images are made by tools/convert_coco.py.
val_dataloader = dict(
    dataset=dict(
        type='COCOTagDataset',
        data_root=data_root,
        ann_file='annotations/instances_train2014.json',
        data_prefix=dict(img_path='train2014', seg_map_path='masks/train2014'),
        indices=5000,
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='COCOTagDataset',
        data_root=data_root,
        ann_file='annotations/instances_train2014.json',
        data_prefix=dict(img_path='train2014', seg_map_path='masks/train2014'),
    ),
)
model = dict(
    cams=dict(base=dict(num_classes=num_classes), final=dict(num_classes=num_classes)),
    test_cfg=dict(cam_threshold=0.15),  # (code)
)
val_evaluator = dict(cam_threshold=0.15)
test_evaluator = dict(cam_threshold=0.15)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
