# Dual-branch WSSS with activation modulation, PASCAL VOC 2012 train_aug.
# paper: 74.2 val, 74.0 test mIoU with multi-scale testing and CRF; 2 GPUs x 2 images.
_base_ = [
    '../_base_/models/dual_vit_r50.py',
    '../_base_/datasets/voc.py',
    '../_base_/schedules/dual_branch_20k.py',
    '../_base_/default_runtime.py',
]
batch_size_hook = dict(type='EffectiveBatchSizeHook', paper_batch_size=4)  # section 2.1
shared_hooks = [
    batch_size_hook,
    *_base_.shared_hooks,
]
custom_hooks = [
    dict(type='CosineThresholdHook', start=0.7, end=0.55),  # eq. (8); th(0), th(T), section 2.1
    *shared_hooks,
]
