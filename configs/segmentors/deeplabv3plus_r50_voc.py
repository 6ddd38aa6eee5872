# DeepLabV3+ with ResNet-50 on exported labels of VOC, otherwise
# configs/deeplabv3plus/deeplabv3plus_r50-d8_4xb4-20k_voc12aug-512x512.py of MMSegmentation.
_base_ = [
    '../_base_/models/deeplabv3plus_r50.py',
    '../_base_/datasets/voc_labels.py',
    '../_base_/schedules/deeplab_20k.py',
    '../_base_/segmentor_runtime.py',
]
