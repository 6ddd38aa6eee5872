# ReCAM, PASCAL VOC 2012 train_aug: the second run, from the trunk and the first classifier of
# configs/recam/voc_cam.py. paper: 68.2 test mIoU of DeepLab-v2 on IRN's labels.
_base_ = './voc_cam.py'
max_iters = 2644  # (code) 4 epochs of 661 batches
model = dict(
    # 'first' is W1 of the code's COCO, 'second' W2 alone.
    cams=dict(final=dict(weights='product')),  # (code) W1 * W2
    terms=dict(softmax=dict(type='ReCAMTerm', cams='final', weight=1.0)),  # lambda
)
load_part = dict(checkpoint='work_dirs/voc_cam/iter_3305.pth', modules=('backbone', 'cams.base'))
optim_wrapper = dict(
    optimizer=dict(lr=5e-5),  # (code) trunk and first classifier; 5e-4 for the second
    paramwise_cfg=dict(head_lr_mult=10, custom_keys={'cams.base': dict(head_lr_mult=1)}),
)
param_scheduler = dict(
    model=[dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=max_iters + 1)],
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
