# Dual-branch WSSS with activation modulation, MS COCO 2014.
# paper: 45.9 val mIoU with multi-scale testing and CRF; batch of 8, here 4 GPUs x 2 images (ToCo).
# Section 2.1: all that is not given here is as on PASCAL VOC.
_base_ = [
    '../_base_/models/dual_vit_r50.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/dual_branch_80k.py',
    '../_base_/default_runtime.py',
]
num_classes = 80
model = dict(
    decode_head=dict(num_classes=num_classes + 1),
    thresholds=dict(low=0.25, high=0.65),  # th(l), th(0), section 2.1
    # (ToCo) three phases, each after the iteration before; the paper is silent. The consistency
    # loss acts from iteration 0 on.
    labels=dict(pixel=dict(cams=((0, ('aux',)), (12001, ('final', 'cnn'))))),
    terms=dict(seg=dict(start=8001), ptc=dict(start=12001), ctc=dict(start=12001)),
)
batch_size_hook = dict(type='EffectiveBatchSizeHook', paper_batch_size=8)  # section 2.1
shared_hooks = [
    batch_size_hook,
    *_base_.shared_hooks,
]
custom_hooks = [
    dict(type='CosineThresholdHook', start=0.65, end=0.55),  # eq. (8); th(0), th(T), section 2.1
    *shared_hooks,
]
