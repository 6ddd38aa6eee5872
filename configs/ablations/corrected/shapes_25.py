# The same, with the true masks of 25 images before the labels.
_base_ = './shapes_0.py'
masks = 'work_dirs/corrected/masks_25'
train_dataloader = dict(dataset=dict(label_dir=[masks, {{_base_.labels}}]))
