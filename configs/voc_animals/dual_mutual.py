# Table 1: dual branch, whose loss (1) teaches both branches; in dual.py it teaches the transformer.
_base_ = './dual.py'
model = dict(terms=dict(consistency=dict(loss=dict(detach='none'))))
