# A thousand classes: docs/domains/many_classes.md. Their names are those of the tag file. 255 is a
# class, so another number marks what has no label.
_base_ = '../_base_/tagged_images.py'
data_root = 'data/many_classes'
num_classes = 1000
ignore_index = -1
variables = ('data_root', 'num_classes')  # what a config that inherits may set anew
data = dict(data_root=data_root, ann_file='tags.json', metainfo=None)
model = dict(
    # Maps of the few classes that a batch has.
    multi_scale=dict(present_only=True),
    decode_head=dict(num_classes=num_classes + 1, ignore_index=ignore_index),
    labels=dict(
        pixel=dict(ignore_index=ignore_index),
        token=dict(ignore_index=ignore_index),
    ),
    terms=dict(ptc=dict(loss=dict(ignore_index=ignore_index))),
)
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = dict(dataset=data)
