# The same as shapes_25, with four times the loss on the true masks.
_base_ = './shapes_25.py'
train_dataloader = dict(
    dataset=dict(label_dir=[dict(folder={{_base_.masks}}, weight=4.0), {{_base_.labels}}])
)
