# As ../all_adamw.py.
_base_ = './all.py'
optim_wrapper = dict(
    optimizers=dict(
        _delete_=True,
        vit={{_base_.optim_wrapper.optimizers.vit}},
        cnn={{_base_.cnn_adamw}},
    ),
)
