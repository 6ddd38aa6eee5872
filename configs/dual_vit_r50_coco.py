# The whole method on MS COCO 2014, under its former name.
_base_ = './dual_branch/coco.py'
