# The best config with the mean of two heads as its word on the classes.
_base_ = '../../../configs/best_voc_animals.py'
custom_imports = dict(imports=['wsss_plugin', 'averaged_prior'], allow_failed_imports=False)
model = dict(type='AveragedPrior', test_cfg=dict(class_prior=None))
