# The baseline, ToCo with ViT-B/16, PASCAL VOC 2012 train_aug; 2 GPUs x 2 images.
# paper: 67.8 val mIoU without CRF (Table 1); ToCo: 69.2 without, 71.1 with multi-scale and CRF.
# With ToCo's energy regulariser, which the dual-branch paper's total loss (13) leaves out.
_base_ = [
    '../_base_/models/toco_vit_b.py',
    '../_base_/datasets/voc.py',
    '../_base_/schedules/toco_20k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    terms=dict(energy=dict(type='EnergyTerm', labels='pixel', weight=0.05, start=2001)),  # (ToCo)
)
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=4),  # (ToCo)
    *_base_.shared_hooks,
]
