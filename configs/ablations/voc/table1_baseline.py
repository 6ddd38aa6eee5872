# Table 1: the baseline, ToCo.
# paper: 67.8 seg mIoU on VOC val, without CRF.
_base_ = '../../toco/voc.py'
