# ClusterCAM with 10 steps of clustering, as in the paper.
_base_ = '../../clustercam/shapes.py'
model = dict(backbone=dict(steps=10))
