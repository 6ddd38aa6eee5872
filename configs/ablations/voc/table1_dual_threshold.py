# Table 1: dual branch, dynamic threshold.
# paper: 70.8 seg mIoU on VOC val, without CRF.
_base_ = '../../dual_vit_r50_voc.py'
model = dict(backbone=dict(modulation=None))
