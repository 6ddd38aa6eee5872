# The same, with the true masks of 100 images before the labels.
_base_ = './shapes_0.py'
masks = 'work_dirs/corrected/masks_100'
train_dataloader = dict(dataset=dict(label_dir=[masks, {{_base_.labels}}]))
