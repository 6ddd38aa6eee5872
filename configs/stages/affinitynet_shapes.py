# AffinityNet on the generated shapes in its published stages: the CAM and its maps as files, labels
# of them by two alphas and a dense CRF, affinities, labels of the maps that walk along these, and a
# segmentor trained on those:
#   python tools/run_stages.py configs/stages/affinitynet_shapes.py
alphas = dict(type='AlphaLabels', cams=('final',), low_alpha=4, high_alpha=32, reads='layer4')
stages = dict(
    cam=dict(train='../ablations/shapes/cam_r18_shapes.py'),
    maps=dict(export='cam', options=dict(scores='cams')),
    pairs=dict(
        export='cam',
        cfg_options={'model.labels': dict(pairs=alphas)},
        inputs=dict(cams_from='maps'),
        options=dict(refine='crf'),
    ),
    # On the network of the CAM, which learns affinities alone.
    affinity=dict(
        train='../affinitynet/shapes.py',
        load_part='cam',
        label_dir='pairs',
        cfg_options={
            'load_part.modules': ['backbone', 'cams.final'],
            'model.labels.pairs': None,
            'model.labels.stored': dict(type='StoredLabels'),
            'model.terms.affinity.labels': 'stored',
            'model.terms.affinity.start': 0,
            'model.terms.cls': None,
            'train_dataloader.dataset.pipeline': [
                dict(type='LoadImageOrRaise'),
                dict(type='LoadAnnotations'),
                dict(type='RandomScaleCropWithBox', crop_size=96, scale_range=(0.8, 1.25)),
                dict(type='PackWSSSInputs'),
            ],
        },
    ),
    labels=dict(export='affinity', inputs=dict(cams_from='maps'), options=dict(labels='walk')),
    segmentor=dict(train='../affinitynet/shapes_segmentor.py', label_dir='labels'),
    test=dict(test='segmentor'),
)
