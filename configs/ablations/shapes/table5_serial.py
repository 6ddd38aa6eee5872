# Table 5: channel and spatial modulation, serial.
_base_ = '../../dual_vit_r18_shapes.py'
