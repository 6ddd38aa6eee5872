# Labels of the affinities without PAR.
_base_ = '../../affinitynet/shapes.py'
model = dict(labels=dict(pairs=dict(refine=None)))
