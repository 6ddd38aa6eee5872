# Of a segmentor on labels in files: it says where little of their foreground has been learnt.
_base_ = './default_runtime.py'
custom_hooks = [dict(type='UnderPredictionHook'), *_base_.shared_hooks]
