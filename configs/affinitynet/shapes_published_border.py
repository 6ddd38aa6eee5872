# The pairs of the published code, which does not pad: of the 12x12 cells of the shapes most keep a
# part of their neighbours only.
_base_ = './shapes.py'
model = dict(heads=dict(affinity=dict(border='published')))
