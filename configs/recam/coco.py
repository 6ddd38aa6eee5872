# ReCAM, MS COCO 2014: the second run, from the trunk and the first classifier of
# configs/recam/coco_cam.py. paper: 45.0 val mIoU.
_base_ = './coco_cam.py'
max_iters = 55188  # (code) 4 epochs of 82783 images, 6 in a batch
model = dict(
    # The paper does not mask the features of COCO (masked=False), the published code does.
    cams=dict(final=dict(weights='first', masked=True)),  # (code) W1 alone
    terms=dict(softmax=dict(type='ReCAMTerm', cams='final', weight=0.1)),  # lambda
)
load_part = dict(checkpoint='work_dirs/coco_cam/iter_25865.pth', modules=('backbone', 'cams.base'))
train_dataloader = dict(batch_size=6)  # (code)
optim_wrapper = dict(
    optimizer=dict(lr=5e-5),  # (code) trunk and first classifier; 5e-4 for the second
    paramwise_cfg=dict(head_lr_mult=10, custom_keys={'cams.base': dict(head_lr_mult=1)}),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
custom_hooks = [
    dict(type='EffectiveBatchSizeHook', paper_batch_size=6),
    *_base_.shared_hooks,
]
