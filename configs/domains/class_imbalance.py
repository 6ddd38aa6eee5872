# Rare and frequent classes: docs/domains/class_imbalance.md.
_base_ = '../_base_/tagged_images.py'
data = dict(
    data_root='data/class_imbalance',
    metainfo=dict(classes=('background', 'common', 'rare')),
)
model = dict(
    decode_head=dict(num_classes=3),
    terms=dict(cls=dict(loss=dict(class_weight='tag_frequency'))),
)
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
custom_hooks = [
    dict(type='TagFrequencyHook', power=0.5),
    {{_base_.threshold_hook}},
    *_base_.shared_hooks,
]
