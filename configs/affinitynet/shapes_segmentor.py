# The last stage on the generated shapes: the segmentor of full supervision, taught by the walk's
# labels instead of true masks. Write the labels before:
#   python tools/export_labels.py configs/affinitynet/shapes.py work_dirs/shapes/iter_1500.pth
#     --labels walk --refine none --out work_dirs/shapes_walk
_base_ = '../ablations/shapes/supervised_shapes.py'
model = dict(
    labels=dict(true=None, stored=dict(type='StoredLabels')), terms=dict(seg=dict(labels='stored'))
)
train_dataloader = dict(dataset=dict(load_masks=False, label_dir='work_dirs/shapes_walk'))
