"""Prints the norm of the gradient of each loss over a branch: CONFIG CHECKPOINT ITERATION."""

import sys

import torch
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from torch.nn.utils import get_total_norm

import wsss_plugin  # noqa: F401
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.trained_model import load_trained_model
from wsss_plugin.ops.thresholds import cosine_threshold

config, iteration = load_config(sys.argv[1]), int(sys.argv[3])
model = load_trained_model(config, sys.argv[2])[0].train()
MessageHub.get_current_instance().update_info('iter', iteration)
hook = config.custom_hooks[0]
model.thresholds.high = cosine_threshold(
    iteration, config.train_cfg.max_iters, hook.start, hook.end
)
branches = {
    branch: [w for w in getattr(model.backbone, branch).parameters() if w.requires_grad]
    for branch in ('vit', 'cnn')
}
batches = iter(Runner.build_dataloader(config.train_dataloader, seed=0))
norms = {}
for _ in range(10):
    batch = model.data_preprocessor(next(batches), True)
    losses = model.loss(batch['inputs'], batch['data_samples'])
    for name, loss in losses.items():
        if 'loss' not in name:
            continue
        for branch, weights in branches.items():
            gradients = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
            norm = get_total_norm([g for g in gradients if g is not None])
            norms.setdefault((branch, name), []).append(norm)
for (branch, name), values in norms.items():
    print(branch, name, float(sum(values) / len(values)))
