# The dual branch on the generated shapes, its labels, and SegFormer-B0 trained on them:
#   python tools/run_stages.py configs/stages/shapes.py
stages = dict(
    dual=dict(train='../dual_vit_r18_shapes.py'),
    labels=dict(export='dual'),
    segmentor=dict(train='../segmentors/segformer_b0_shapes.py', label_dir='labels'),
    test=dict(test='segmentor'),
)
