# Table 3: the row th(T) = 0.55, that is th(0) - 0.15.
_base_ = '../../dual_vit_r18_shapes.py'
