# One class and background: docs/domains/one_class.md.
_base_ = '../_base_/tagged_images.py'
data_root = 'data/one_class'
classes = ('background', 'tree')
variables = ('data_root', 'classes')  # what a config that inherits may set anew
data = dict(data_root=data_root, metainfo=dict(classes=classes))
model = dict(decode_head=dict(num_classes=len(classes)))
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
