# The high alpha of the paper.
_base_ = '../../affinitynet/shapes.py'
model = dict(labels=dict(pairs=dict(high_alpha=24)))
