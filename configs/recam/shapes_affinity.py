# ReCAM whose CAM walks along affinities, on the generated shapes: both are taught in the second
# half of one run of the CNN. The walk's labels are scored by
#   python tools/test.py configs/recam/shapes_affinity.py
#     work_dirs/shapes_affinity/iter_1500.pth --labels
_base_ = '../affinitynet/shapes.py'
model = dict(
    cams=dict(
        base=dict(
            type='CAMHead',
            reads='out.-1',
            in_channels=128,
            num_classes={{_base_.num_classes}},
            pooling='avg',
        ),
        final=dict(
            _delete_=True,
            type='ReweightedCAMHead',
            reads='out.-1',
            in_channels=128,
            num_classes={{_base_.num_classes}},
            base='base',
            weights='product',
        ),
    ),
    terms=dict(
        cls=dict(cams=('base',)),
        softmax=dict(type='ReCAMTerm', cams='final', weight=1.0, start=0.5),
    ),
)
