# The transformer, decoder, budget and schedule of voc_animals/supervised.py, on exported labels.
_base_ = '../voc_animals/supervised.py'
model = dict(
    labels=dict(true=None, stored=dict(type='StoredLabels')),
    terms=dict(seg=dict(labels='stored')),
)
train_dataloader = dict(dataset=dict(load_masks=False, label_dir='data/labels/voc_animals'))
custom_hooks = [dict(type='UnderPredictionHook'), *_base_.shared_hooks]
