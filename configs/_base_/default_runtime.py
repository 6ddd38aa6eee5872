default_scope = 'mmseg'
custom_imports = dict(imports=['wsss_plugin'], allow_failed_imports=False)
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
model_wrapper_cfg = dict(
    type='DeviceAgnosticDistributedDataParallel',
    broadcast_buffers=False,
    find_unused_parameters=True,
)
randomness = dict(seed=0)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # What a run cut short can continue from.
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=500, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),  # draws nothing until --show-dir asks for it
)
# By name, so that a config with hooks of its own can list these beside them.
safe_checkpoint_hook = dict(type='SafeCheckpointHook')
checkpoint_shape_hook = dict(type='CheckpointShapeHook')
shared_hooks = [safe_checkpoint_hook, checkpoint_shape_hook]
custom_hooks = shared_hooks
