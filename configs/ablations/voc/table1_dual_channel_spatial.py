# Table 1: dual branch, channel and spatial modulation.
# paper: 72.2 seg mIoU on VOC val, without CRF.
_base_ = '../../dual_vit_r50_voc.py'
custom_hooks = {{_base_.shared_hooks}}  # the high threshold stays at th(0)
