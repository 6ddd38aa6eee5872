# MCTformer and ClusterCAM: AdamW, without decay on biases, norms, tokens and positions; linear
# warm-up, then a cosine. Their code changes the rate once an epoch, here it changes every step.
# A config gives max_iters and the rate, 5e-4 x batch / 512.
optim_wrapper = dict(
    type='OptimWrapper',
    constructor='JointOptimWrapperConstructor',
    optimizer=dict(type='AdamW', lr=6.25e-5, betas=(0.9, 0.999), weight_decay=0.05),
    paramwise_cfg=dict(
        head_lr_mult=1,
        norm_decay_mult=0.0,
        bias_decay_mult=0.0,
        # ClusterCAM's code means to leave tokens and positions out, but misses them.
        custom_keys=dict(
            cls_token=dict(decay_mult=0.0),
            pos_embed=dict(decay_mult=0.0),
        ),
    ),
)
warm_up = dict(type='LinearLR', by_epoch=False, begin=0)
cosine = dict(type='CosineAnnealingLR', by_epoch=False)
train_cfg = dict(type='IterBasedTrainLoop')
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
