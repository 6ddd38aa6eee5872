# best_voc_animals.py on the modulated network, with AdamW for the CNN as in all_adamw.py.
# docs/results/voc_animals_readings.md has the scores of both.
_base_ = '../best_voc_animals.py'
model = dict(
    # As in all.py; the base has none.
    backbone=dict(
        modulation=dict(_delete_=True, type='ActivationModulation', order='serial', reduction=4)
    ),
    idle_losses='skip',  # as in all_adamw.py
    test_cfg=dict(class_prior='final'),  # the modulated CNN knows the classes no better
)
optim_wrapper = dict(
    optimizers=dict(
        _delete_=True,
        vit={{_base_.optim_wrapper.optimizers.vit}},
        cnn={{_base_.cnn_adamw}},
    ),
)
