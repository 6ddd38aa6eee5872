# Table 1: the baseline, ToCo.
_base_ = './toco_shapes.py'
