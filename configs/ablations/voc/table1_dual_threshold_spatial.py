# Table 1: dual branch, dynamic threshold, spatial modulation.
# paper: 72.1 seg mIoU on VOC val, without CRF.
_base_ = '../../dual_vit_r50_voc.py'
model = dict(backbone=dict(modulation=dict(channel=False)))
