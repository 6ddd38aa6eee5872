# The same network and budget on the true masks.
_base_ = './segformer_b0_voc.py'
train_dataloader = dict(dataset=dict(label_dir=None, load_masks=True))
