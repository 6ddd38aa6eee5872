# ClusterCAM without clusters: the transformer and its attention are those of MCTformer.
_base_ = '../../clustercam/shapes.py'
model = dict(backbone=dict(steps=0))
