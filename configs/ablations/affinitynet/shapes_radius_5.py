# The published radius in cells, with which a cell of the shapes sees most of the image.
_base_ = '../../affinitynet/shapes.py'
model = dict(heads=dict(affinity=dict(radius=5)))
