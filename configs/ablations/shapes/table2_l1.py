# Table 2: L1 in the semantic consistency loss.
_base_ = '../../dual_vit_r18_shapes.py'
