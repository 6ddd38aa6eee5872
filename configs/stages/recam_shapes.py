# ReCAM on the generated shapes in its published stages: the CAM, ReCAM from its network, IRN from
# ReCAM's, labels that walk up to the boundaries, and a segmentor trained on them:
#   python tools/run_stages.py configs/stages/recam_shapes.py
stages = dict(
    # The second classifier has no loss yet, and the first alone predicts.
    cam=dict(
        train='../recam/shapes.py',
        cfg_options={'model.cams.final.weights': 'first', 'model.terms.softmax': None},
    ),
    recam=dict(
        train='../recam/shapes.py',
        load_part='cam',
        cfg_options={
            'load_part.modules': ['backbone', 'cams.base'],
            'model.terms.softmax.start': 0,
            # As on VOC: a tenth of the first run's rate, but for the second classifier.
            'optim_wrapper.optimizers.cnn.lr': 0.02,
            'optim_wrapper.paramwise_cfg.head_lr_mult': 10,
            'optim_wrapper.paramwise_cfg.custom_keys': {'cams.base': dict(head_lr_mult=1)},
        },
    ),
    irn=dict(train='../recam/shapes_irn.py', load_part='recam'),
    labels=dict(export='irn', options=dict(labels='walk')),
    segmentor=dict(train='../recam/shapes_segmentor.py', label_dir='labels'),
    test=dict(test='segmentor'),
)
