# The network of full supervision, trained on exported labels: no mask is corrected.
_base_ = '../shapes/supervised_shapes.py'
labels = 'work_dirs/corrected/labels'
model = dict(
    labels=dict(_delete_=True, stored=dict(type='StoredLabels')),
    terms=dict(seg=dict(labels='stored')),
)
train_dataloader = dict(dataset=dict(load_masks=False, label_dir=labels))
