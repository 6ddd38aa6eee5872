# Rare and frequent classes: docs/domains/class_imbalance.md.
_base_ = '../_base_/tagged_images.py'
data_root = 'data/class_imbalance'
classes = ('background', 'common', 'rare')
variables = ('data_root', 'classes')  # what a config that inherits may set anew
data = dict(data_root=data_root, metainfo=dict(classes=classes))
model = dict(
    decode_head=dict(num_classes=len(classes)),
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
