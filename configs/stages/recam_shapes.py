# ReCAM on the generated shapes in its published stages: the CAM, ReCAM from its network, IRN from
# ReCAM's, labels that walk up to the boundaries, and a segmentor trained on them:
#   python tools/run_stages.py configs/stages/recam_shapes.py
stages = dict(
    # The second classifier has no loss yet, and the first alone predicts.
    cam=dict(train='../ablations/recam/shapes_weight_0.py'),
    recam=dict(train='../recam/shapes_second_run.py', load_part='cam'),
    irn=dict(train='../recam/shapes_irn.py', load_part='recam'),
    labels=dict(export='irn', options=dict(labels='walk')),
    segmentor=dict(train='../recam/shapes_segmentor.py', label_dir='labels'),
    test=dict(test='segmentor'),
)
