# The whole method with AdamW for the CNN. The paper's SGD with 0.001 is for 20000 iterations; in
# 1000 it leaves the modulated CNN short of its classes: docs/results/voc_animals_readings.md.
_base_ = './all.py'
optim_wrapper = dict(
    optimizers=dict(
        _delete_=True,
        vit={{_base_.optim_wrapper.optimizers.vit}},
        cnn={{_base_.cnn_adamw}},
    ),
)
