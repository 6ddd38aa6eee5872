# Gates of mean 1.
_base_ = './modulation.py'
custom_imports = dict(imports=['wsss_plugin', 'mean_one_modulation'], allow_failed_imports=False)
model = dict(backbone=dict(modulation=dict(type='MeanOneModulation')))
