# AffinityNet on the generated shapes in its published stages: the CAM, affinities from its labels
# on its network, labels that walk along them, and a segmentor trained on these:
#   python tools/run_stages.py configs/stages/affinitynet_shapes.py
stages = dict(
    cam=dict(train='../ablations/shapes/cam_r18_shapes.py'),
    # Labels of the CAM by two alphas are made as it goes; the CAM is taught on, as on VOC.
    affinity=dict(
        train='../affinitynet/shapes.py',
        load_part='cam',
        cfg_options={
            'load_part.modules': ['backbone', 'cams.final'],
            'model.terms.affinity.start': 0,
        },
    ),
    labels=dict(export='affinity', options=dict(labels='walk')),
    segmentor=dict(train='../affinitynet/shapes_segmentor.py', label_dir='labels'),
    test=dict(test='segmentor'),
)
