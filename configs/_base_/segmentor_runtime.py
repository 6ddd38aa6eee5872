_base_ = './default_runtime.py'
under_prediction_hook = dict(type='UnderPredictionHook')
custom_hooks = [
    under_prediction_hook,
    {{_base_.safe_checkpoint_hook}},
    {{_base_.checkpoint_shape_hook}},
]
