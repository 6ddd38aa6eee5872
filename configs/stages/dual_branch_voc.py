# The dual branch on PASCAL VOC 2012, its segmentation of the training images among their tags as
# labels, and DeepLabV2 on ResNet-101 trained on them:
#   python tools/run_stages.py configs/stages/dual_branch_voc.py
stages = dict(
    dual=dict(train='../dual_branch/voc.py'),
    labels=dict(export='dual', options=dict(segmentation=True)),
    segmentor=dict(train='../segmentors/deeplabv2_r101_voc.py', label_dir='labels'),
    test=dict(test='segmentor', options=dict(crf=True)),
)
