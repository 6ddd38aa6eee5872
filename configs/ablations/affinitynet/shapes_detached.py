# The affinities teach their head alone.
_base_ = '../../affinitynet/shapes.py'
model = dict(heads=dict(affinity=dict(detach=True)))
