# The whole method on PASCAL VOC 2012, under its former name.
_base_ = './dual_branch/voc.py'
