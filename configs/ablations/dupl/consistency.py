# DuPL's parts, row 6: and predictions stay the same where no label is. The whole method.
_base_ = '../../dupl/shapes.py'
