# AffinityNet on the generated shapes, in the stages of affinitynet_voc.py with a small CNN:
#   python tools/run_stages.py configs/stages/affinitynet_shapes.py
_base_ = './affinitynet_voc.py'
stages = dict(
    cam=dict(train='../ablations/shapes/cam_r18_shapes.py'),
    affinity=dict(
        train='../affinitynet/shapes.py',
        cfg_options={
            'load_part.modules': ['backbone', 'cams.final'],
            'model.terms.affinity.start': 0,
            'train_dataloader.dataset.pipeline': [
                dict(type='LoadImageOrRaise'),
                dict(type='LoadAnnotations'),
                dict(type='RandomScaleCropWithBox', crop_size=96, scale_range=(0.8, 1.25)),
                dict(type='PackWSSSInputs'),
            ],
        },
    ),
    segmentor=dict(train='../affinitynet/shapes_segmentor.py'),
    test=dict(_delete_=True, test='segmentor'),
)
