# Table 2: L2 in the semantic consistency loss; all.py has L1.
_base_ = './all.py'
model = dict(terms=dict(consistency=dict(loss=dict(norm='l2'))))
