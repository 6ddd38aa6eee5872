# The same with the frozen image encoder of CLIP. "quickgelu" is the activation of its training;
# timm's vit_base_patch16_clip_224.openai would run the same weights with another one.
_base_ = './frozen_dinov2_voc.py'
width = 768
model = dict(
    # CLIP's own statistics: it cannot adapt to those of ImageNet, the CNN can to these.
    data_preprocessor=dict(
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
    ),
    backbone=dict(vit=dict(model_name='vit_base_patch16_clip_quickgelu_224.openai')),
    decode_head=dict(in_channels=width),
    cams=dict(final=dict(in_channels=width), aux=dict(in_channels=width)),
)
