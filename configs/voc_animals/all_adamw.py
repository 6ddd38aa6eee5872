# The whole method with AdamW for the CNN. The paper's SGD with 0.001 is for 20000 iterations; in
# 1000 it leaves the modulated CNN short of its classes: docs/results/voc_animals_readings.md.
_base_ = './all.py'
optim_wrapper = dict(
    optimizers=dict(
        cnn=dict(_delete_=True, type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0.01),
    ),
)
