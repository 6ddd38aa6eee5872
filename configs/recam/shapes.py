# ReCAM on the generated shapes, with the CNN alone: one run, whose second half teaches the second
# classifier. The published method makes two runs of it; here the CAM is good enough half way.
_base_ = '../ablations/shapes/cam_r18_shapes.py'
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
