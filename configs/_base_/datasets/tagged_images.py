# Any images with tags in one file, at 224 pixels; docs/own_data.md has the formats. A config that
# inherits names data_root and classes. Masks are for scores alone; without them nothing is scored.
_base_ = './voc_animals.py'
own = dict(
    data_prefix=dict(img_path='images', seg_map_path='masks'),
    ann_file='tags.csv',
    metainfo=dict(_delete_=True, classes=('background', 'thing')),
)
train_dataloader = dict(dataset=dict(own, list_file=None, require_tags=False))
val_dataloader = dict(dataset=dict(own, list_file='val.txt'))
test_dataloader = dict(dataset=dict(own, list_file='val.txt'))
