# The whole method, whose consistency loss teaches both branches; in all.py the transformer.
_base_ = './all.py'
model = dict(terms=dict(consistency=dict(loss=dict(detach='none'))))
