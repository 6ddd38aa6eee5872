# best_voc_animals.py without the modulation, with the paper's SGD for the CNN, and with the CNN's
# word on the classes in place of the transformer's.
_base_ = '../../best_voc_animals.py'
model = dict(
    backbone=dict(modulation=None),
    # The decoder's first steps are larger, as in ToCo's code.
    terms=dict(seg=dict(idle='zero'), ctc=dict(idle='zero')),
    test_cfg=dict(class_prior='cnn'),
)
optim_wrapper = dict(
    optimizers=dict(
        cnn=dict(_delete_=True, type='SGD', lr=0.001, momentum=0.9, weight_decay=1e-4),
    ),
)
