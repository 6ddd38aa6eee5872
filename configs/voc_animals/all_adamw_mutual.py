# all_adamw.py, whose consistency loss teaches both branches; there it teaches the transformer.
_base_ = './all_adamw.py'
model = dict(terms=dict(consistency=dict(loss=dict(detach='none'))))
