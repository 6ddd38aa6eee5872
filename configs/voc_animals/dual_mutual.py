# Table 1: dual branch, whose consistency loss teaches both branches; in dual.py the transformer.
_base_ = './dual.py'
model = dict(terms=dict(consistency=dict(loss=dict(detach='none'))))
