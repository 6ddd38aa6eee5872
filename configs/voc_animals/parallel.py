# Table 5: channel and spatial modulation in parallel; all.py has them in series.
_base_ = './all.py'
model = dict(backbone=dict(modulation=dict(order='parallel')))
