# The augmentation with which DeiT is trained, and MCTformer and ClusterCAM after it: a random part
# of the image, mirrored, RandAugment (m9-mstd0.5-inc1) and random erasing of 0.25. Tags are not
# changed by the crop. Erased parts are filled with noise of whole grey levels, there with normal
# noise of the normalised image.
random_augmentation = dict(
    type='mmpretrain.RandAugment',
    num_policies=2,
    total_level=10,
    magnitude_level=9,
    magnitude_std=0.5,
    hparams=dict(pad_val=[104, 116, 124], interpolation='bicubic'),
    policies=[
        dict(type='mmpretrain.AutoContrast'),
        dict(type='mmpretrain.Equalize'),
        dict(type='mmpretrain.Invert'),
        dict(type='mmpretrain.Rotate', magnitude_range=(0, 30)),
        dict(type='mmpretrain.Posterize', magnitude_range=(4, 0)),
        dict(type='mmpretrain.Solarize', magnitude_range=(256, 0)),
        dict(type='mmpretrain.SolarizeAdd', magnitude_range=(0, 110)),
        dict(type='mmpretrain.ColorTransform', magnitude_range=(0, 0.9)),
        dict(type='mmpretrain.Contrast', magnitude_range=(0, 0.9)),
        dict(type='mmpretrain.Brightness', magnitude_range=(0, 0.9)),
        dict(type='mmpretrain.Sharpness', magnitude_range=(0, 0.9)),
        dict(type='mmpretrain.Shear', magnitude_range=(0, 0.3), direction='horizontal'),
        dict(type='mmpretrain.Shear', magnitude_range=(0, 0.3), direction='vertical'),
        dict(type='mmpretrain.Translate', magnitude_range=(0, 0.45), direction='horizontal'),
        dict(type='mmpretrain.Translate', magnitude_range=(0, 0.45), direction='vertical'),
    ],
)
random_part = dict(
    type='mmpretrain.RandomResizedCrop',
    crop_ratio_range=(0.08, 1.0),
    aspect_ratio_range=(3 / 4, 4 / 3),
    interpolation='bicubic',
    backend='pillow',
)
random_erasing = dict(
    type='mmpretrain.RandomErasing',
    erase_prob=0.25,
    mode='rand',
    min_area_ratio=0.02,
    max_area_ratio=1 / 3,
)
