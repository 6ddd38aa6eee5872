# ReCAM on PASCAL VOC 2012: the CAM, ReCAM, IRN, labels that walk up to the boundaries, and
# DeepLabV2 on ResNet-101 trained on them, as in the paper:
#   python tools/run_stages.py configs/stages/recam_voc.py
stages = dict(
    cam=dict(train='../recam/voc_cam.py'),
    recam=dict(train='../recam/voc.py', load_part='cam'),
    irn=dict(train='../recam/voc_irn.py', load_part='recam'),
    labels=dict(export='irn', options=dict(labels='walk')),
    segmentor=dict(train='../segmentors/deeplabv2_r101_voc.py', label_dir='labels'),
    test=dict(test='segmentor', options=dict(crf=True)),
)
