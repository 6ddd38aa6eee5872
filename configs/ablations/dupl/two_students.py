# DuPL's parts, row 2: two students that learn from each other's labels.
_base_ = './discrepancy.py'
model = dict(terms=dict(apart=None))
