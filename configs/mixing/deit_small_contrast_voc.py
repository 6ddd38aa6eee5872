# ToCo's contrast of patch tokens on a backbone of MMPretrain, DeiT-small. Its outputs are maps
# without a class token, so the contrast of class tokens is left out, and with it two of the views.
_base_ = '../toco/voc.py'
width = 384
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.VisionTransformer',
        arch='deit-small',
        img_size=224,  # of the weights; the position embedding is resized to every input
        patch_size=16,
        out_type='featmap',
        out_indices=(9, 11),  # out.0 and out.1
        init_cfg=dict(
            type='Pretrained',
            checkpoint='https://download.openmmlab.com/mmclassification/v0/deit/'
            'deit-small_pt-4xb256_in1k_20220218-9425b9bb.pth',
            prefix='backbone.',
        ),
    ),
    decode_head=dict(in_channels=width),
    decode_reads='out.1',
    cams=dict(
        final=dict(reads='out.1', in_channels=width),
        aux=dict(reads='out.0', in_channels=width),
    ),
    labels=dict(token=dict(reads='out.1'), region=None),
    terms=dict(ptc=dict(reads='out.1'), ctc=None),
)
train_pipeline = _base_.train_pipeline
train_pipeline[2].views = ('view1',)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
