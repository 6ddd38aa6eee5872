# The baseline, ToCo with ViT-B/16, MS COCO 2014; 4 GPUs x 2 images.
# paper: 42.3 val mIoU (Table 7); ToCo: 42.2 with multi-scale and CRF.
# With ToCo's energy regulariser, which the dual-branch paper's total loss (13) leaves out.
_base_ = [
    '../_base_/models/toco_vit_b.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/toco_80k.py',
    '../_base_/default_runtime.py',
]
num_classes = 80
model = dict(
    decode_head=dict(num_classes=num_classes + 1),
    thresholds=dict(low=0.25, high=0.65),  # (ToCo)
    # (ToCo) three phases, each after the iteration before.
    labels=dict(pixel=dict(cams=((0, ('aux',)), (12001, ('final',))))),
    terms=dict(
        seg=dict(start=8001),
        ptc=dict(start=12001),
        # (ToCo) temperature 1 in effect, although its option says 0.5
        ctc=dict(start=12001, loss=dict(temperature=1.0)),
        energy=dict(type='EnergyTerm', labels='pixel', weight=0.05, start=8001),  # (ToCo)
    ),
)
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=8),  # (ToCo)
    *_base_.shared_hooks,
]
