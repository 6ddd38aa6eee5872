# One class and background: docs/domains/one_class.md.
_base_ = '../_base_/tagged_images.py'
data = dict(data_root='data/one_class', metainfo=dict(classes=('background', 'tree')))
model = dict(decode_head=dict(num_classes=2))
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
