# AffinityNet on PASCAL VOC 2012 in its published stages, with ResNet-50: the CAM and its maps as
# files, labels of them by two alphas and a dense CRF, affinities, labels of the maps that walk
# along these, and the paper's network, ResNet-38d, trained on those and tested at five scales:
#   python tools/run_stages.py configs/stages/affinitynet_voc.py
alphas = dict(type='AlphaLabels', cams=('final',), low_alpha=4, high_alpha=32, reads='layer4')
stages = dict(
    cam=dict(train='../recam/voc_cam.py'),
    maps=dict(export='cam', options=dict(scores='cams')),
    pairs=dict(
        export='cam',
        cfg_options={'model.labels': dict(pairs=alphas)},
        inputs=dict(cams_from='maps'),
        options=dict(refine='crf'),
    ),
    # On the network of the CAM, which learns affinities alone.
    affinity=dict(
        train='../affinitynet/voc.py',
        load_part='cam',
        label_dir='pairs',
        cfg_options={
            'load_part.modules': ['backbone', 'cams'],
            'model.labels.pairs': None,
            'model.labels.stored': dict(type='StoredLabels'),
            'model.terms.affinity.labels': 'stored',
            'model.terms.cls': None,
            'train_dataloader.dataset.pipeline': [
                dict(type='LoadImageOrRaise'),
                dict(type='LoadAnnotations'),
                dict(type='RandomScaleCropWithBox', crop_size=448, scale_range=(1.0, 1.0)),
                dict(
                    type='MultiCropViews',
                    views=('view1',),
                    view1=dict(
                        jitter=(0.3, 0.3, 0.3, 0.1), jitter_prob=1.0, grey_prob=0.0, blur_prob=0.0
                    ),
                ),
                dict(type='PackWSSSInputs'),
            ],
        },
    ),
    labels=dict(export='affinity', inputs=dict(cams_from='maps'), options=dict(labels='walk')),
    segmentor=dict(train='../affinitynet/segmentor_voc.py', label_dir='labels'),
    test=dict(test='segmentor', options=dict(tta=True)),
)
