# Table 1: dual branch, dynamic threshold, channel and spatial modulation.
# paper: 73.3 seg mIoU on VOC val, without CRF.
_base_ = '../../dual_vit_r50_voc.py'
