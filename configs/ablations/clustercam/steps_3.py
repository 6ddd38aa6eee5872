# ClusterCAM with 3 steps of clustering, as in the released code.
_base_ = '../../clustercam/shapes.py'
