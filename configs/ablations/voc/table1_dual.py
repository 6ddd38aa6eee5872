# Table 1: dual branch.
# paper: 70.9 seg mIoU on VOC val, without CRF.
_base_ = '../../dual_vit_r50_voc.py'
model = dict(backbone=dict(modulation=None))
custom_hooks = {{_base_.shared_hooks}}  # the high threshold stays at th(0)
