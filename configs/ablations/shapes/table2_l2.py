# Table 2: L2 in the semantic consistency loss.
_base_ = '../../dual_vit_r18_shapes.py'
model = dict(terms=dict(consistency=dict(loss=dict(norm='l2'))))
