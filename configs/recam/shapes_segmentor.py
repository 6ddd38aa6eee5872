# The last stage on the generated shapes: a segmentor on IRN's labels. Write the labels before:
#   python tools/export_labels.py configs/recam/shapes_irn.py work_dirs/shapes_irn/iter_500.pth
#     --labels walk --refine none --out work_dirs/shapes_irn_walk
_base_ = '../affinitynet/shapes_segmentor.py'
train_dataloader = dict(dataset=dict(label_dir='work_dirs/shapes_irn_walk'))
