"""Prints the mean average precision of each classifier: CONFIG CHECKPOINT."""

import sys

import torch
from mmengine.runner import Runner
from mmpretrain.evaluation import AveragePrecision

import wsss_plugin  # noqa: F401
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.trained_model import load_trained_model

config = load_config(sys.argv[1])
model = load_trained_model(config, sys.argv[2])[0].eval()
tags, logits = [], {name: [] for name in model.classifying_sources()}
with torch.no_grad():
    for batch in Runner.build_dataloader(config.val_dataloader):
        batch = model.data_preprocessor(batch, False)
        tags += [sample.gt_tags for sample in batch['data_samples']]
        view = model.batch(batch['inputs'], batch['data_samples']).main
        for name in logits:
            logits[name].append(view.logits(name))
for name, values in logits.items():
    print(name, AveragePrecision.calculate(torch.cat(values), torch.stack(tags)))
