# Labels of the second half from the final CAM, the CNN's CAM and the decode head.
_base_ = '../../../configs/best_voc_animals.py'
small = dict(_delete_=True, type='Normal', layer='Conv2d', std=0.02)
model = dict(
    cams=dict(final=dict(init_cfg=small), aux=dict(init_cfg=small)),
    labels=dict(
        pixel=dict(cams=((0, ('final', 'aux', 'cnn')), (500, ('final', 'cnn', 'decoder')))),
    ),
    terms=dict(ctc=dict(weight=0.1)),
)
