# AffinityNet on PASCAL VOC 2012: the CAM of ResNet-50, affinities, labels that walk along them, and
# the paper's segmentation network, ResNet-38d, trained on them and tested at five scales:
#   python tools/run_stages.py configs/stages/affinitynet_voc.py
stages = dict(
    cam=dict(train='../recam/voc_cam.py'),
    affinity=dict(train='../affinitynet/voc.py', load_part='cam'),
    labels=dict(export='affinity', options=dict(labels='walk')),
    segmentor=dict(train='../affinitynet/segmentor_voc.py', label_dir='labels'),
    test=dict(test='segmentor', options=dict(tta=True)),
)
