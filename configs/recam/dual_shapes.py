# ReCAM beyond its paper: the second classifier on the CNN of the dual branch. The CNN's part of the
# labels is the CAM of both classifiers, once that has begun.
_base_ = '../dual_vit_r18_shapes.py'
recam_start = 750  # the CNN's CAM has to exist, and consistency to have begun
labels_start = 900
model = dict(
    cams=dict(
        recam=dict(
            type='ReweightedCAMHead',
            reads='cnn',
            in_channels={{_base_.model.cams.cnn.in_channels}},
            base='cnn',
            weights='product',
        ),
    ),
    labels=dict(
        pixel=dict(cams=((0, ('final', 'cnn')), (labels_start, ('final', 'recam')))),
        token=dict(cams=((0, ('aux', 'cnn')), (labels_start, ('aux', 'recam')))),
    ),
    terms=dict(softmax=dict(type='ReCAMTerm', cams='recam', weight=1.0, start=recam_start)),
)
optim_wrapper = dict(
    paramwise_cfg=dict(
        branches=dict(cnn=['backbone.cnn', 'backbone.modulations', 'cams.cnn', 'cams.recam']),
    ),
)
