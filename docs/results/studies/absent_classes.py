# The best config with a loss on classes that an image has no tag of.
_base_ = '../../../configs/best_voc_animals.py'
custom_imports = dict(imports=['wsss_plugin', 'absent_classes_term'], allow_failed_imports=False)
start = {{_base_.seg_start}}
model = dict(terms=dict(absent=dict(type='AbsentClassesTerm', weight=0.1, start=start)))
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='LossWeightHook', loss='terms.absent', weights=((0, 0.1), (500, 0.5))),
]
