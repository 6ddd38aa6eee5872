# DuPL's parts, row 4: and the threshold of the foreground descends.
_base_ = './filter.py'
without = dict(labels=dict(pixel=dict(filters=None)))
model = dict(students=dict(first=without, second=without))
