# The best config with the true tags as its word on the classes.
_base_ = '../../../configs/best_voc_animals.py'
custom_imports = dict(imports=['wsss_plugin', 'true_tags'], allow_failed_imports=False)
model = dict(type='TrueTags', test_cfg=dict(class_prior=None))
