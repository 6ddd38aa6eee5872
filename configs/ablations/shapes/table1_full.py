# Table 1: dual branch, dynamic threshold, channel and spatial modulation.
_base_ = '../../dual_vit_r18_shapes.py'
