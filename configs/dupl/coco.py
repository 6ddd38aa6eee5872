# DuPL (CVPR 2024) with ViT-B/16, MS COCO 2014; 4 GPUs x 2 images.
# released: 44.6 val with these weights, 43.5 with DeiT-B of ImageNet-1k, with multi-scale and CRF
# of the student that is better on val; here the first is deployed.
_base_ = [
    '../_base_/models/dupl_vit_b.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/toco_80k.py',
    '../_base_/default_runtime.py',
]
num_classes = 80
labels_from, final_from = 0.1, 0.15  # (DuPL) iterations 8000 and 12000 of 80000
student = dict(
    decode_head=dict(num_classes=num_classes + 1),
    thresholds=dict(low=0.25, high=0.65),  # (DuPL)
    labels=dict(pixel=dict(cams=((0, ('aux',)), (final_from, ('final',))))),  # (DuPL)
    terms=dict(ptc=dict(start=final_from)),  # (DuPL)
)
model = dict(
    students=dict(first=student, second=student),
    terms=dict(apart=dict(weight=0.05, start=labels_from)),  # (DuPL)
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = dict(local=None, view2=None, strong=_base_.strong_view)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
custom_hooks = [
    dict(
        type='CosineThresholdHook',
        start=0.65,  # (DuPL)
        end=0.55,  # (DuPL) for all classes
        begin=12000,  # (DuPL)
        targets=_base_.both_thresholds,
    ),
    dict(type='EffectiveBatchSizeHook', paper_batch_size=8),  # (DuPL)
    *_base_.shared_hooks,
]
