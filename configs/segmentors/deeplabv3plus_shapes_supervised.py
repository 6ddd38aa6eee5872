# The same network and budget on the true masks.
_base_ = './deeplabv3plus_shapes.py'
train_dataloader = dict(dataset=dict(label_dir=None, load_masks=True))
