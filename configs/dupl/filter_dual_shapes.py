# The dual-branch network on the generated shapes with DuPL's noise filter alone, without students.
_base_ = ['../dual_vit_r18_shapes.py', '../_base_/models/dupl_small.py']
model = dict(labels=dict(pixel=dict(filters=dict(noise={{_base_.noise_filter}}))))
