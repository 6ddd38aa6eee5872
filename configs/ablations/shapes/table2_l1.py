# Table 2: L1 in the semantic consistency loss (1).
_base_ = '../../dual_vit_r18_shapes.py'
