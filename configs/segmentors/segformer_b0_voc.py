# SegFormer-B0 on exported labels of VOC: 20000 iterations of 16 images.
_base_ = [
    '../_base_/models/segformer_b0.py',
    '../_base_/datasets/voc_labels.py',
    '../_base_/schedules/segformer_20k.py',
    '../_base_/segmentor_runtime.py',
]
