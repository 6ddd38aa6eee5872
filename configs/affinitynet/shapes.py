# AffinityNet on the generated shapes, in one run of the CNN: its first half teaches the CAM, its
# second also the affinities, from labels of the CAM. The published method trains a network for
# each, with files between them. The walk's labels are scored by
#   python tools/score_labels.py configs/affinitynet/shapes.py work_dirs/shapes/iter_1500.pth
_base_ = '../ablations/shapes/cam_r18_shapes.py'
radius = 3  # in cells of 8 pixels; 5 of the published 56x56 cells are as much of an image
model = dict(
    heads=dict(
        affinity=dict(
            type='AffinityHead',
            in_channels=(32, 64, 128),
            channels=(16, 32, 64),  # 64, 128 and 256 of ResNet-38's 512, 1024 and 4096
            radius=radius,
            border='complete',
            reads=('layer2', 'layer3', 'layer4'),
        ),
    ),
    labels=dict(
        pairs=dict(
            type='AlphaLabels',
            cams=('final',),
            low_alpha=4,
            high_alpha=32,
            reads='layer4',
            # In place of the published dense CRF, as in this project's other labels of the shapes.
            refine=dict(type='PAR', num_iter=10, dilations=(1, 2, 4, 8), w1=0.3, w2=0.01),
        ),
        walk=dict(type='RandomWalkLabels', cams=('final',), alpha=16, beta=8, steps=256),
    ),
    terms=dict(affinity=dict(type='AffinityTerm', labels='pairs', weight=1.0, start=0.5)),
)
