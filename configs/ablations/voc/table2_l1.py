# Table 2: L1 in the semantic consistency loss.
# paper: CAM 73.5, aux CAM 69.0, seg 73.3 mIoU on VOC val, without CRF.
_base_ = '../../dual_vit_r50_voc.py'
