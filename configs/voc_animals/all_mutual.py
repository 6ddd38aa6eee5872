# The whole method, whose loss (1) teaches both branches; in all.py it teaches the transformer.
_base_ = './all.py'
model = dict(terms=dict(consistency=dict(loss=dict(detach='none'))))
