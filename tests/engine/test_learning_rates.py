from pathlib import Path

import numpy as np
import torch
from mmengine.optim import LinearLR, MultiStepLR, PolyLR

from wsss_plugin.engine.optimizers import DualBranchOptimWrapperConstructor

_SAVED = Path(__file__).parents[1] / 'data' / 'poly_warmup_adamw.npz'


class _Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torch.nn.Linear(1, 1)
        self.decode_head = torch.nn.Linear(1, 1)


def test_toolbox_schedulers_reproduce_the_published_learning_rates():
    """Linear warm-up, then a polynomial counted from iteration 0: it drops where warm-up ends."""
    warmup, total, power = 1500, 20000, 0.9
    config = {'optimizers': {'vit': {'type': 'AdamW', 'lr': 6e-5, 'weight_decay': 0.01}}}
    wrapper = DualBranchOptimWrapperConstructor(config)(_Model())['vit']
    drop = (1 - warmup / total) ** power
    schedulers = [
        LinearLR(wrapper, start_factor=1e-6, by_epoch=False, begin=0, end=warmup + 1),
        MultiStepLR(wrapper, milestones=[warmup], gamma=drop, by_epoch=False),
        PolyLR(wrapper, power=power, by_epoch=False, begin=warmup, end=total + 1),
    ]
    rates = np.zeros((total, 2))
    for iteration in range(total):
        rates[iteration] = [group['lr'] for group in wrapper.optimizer.param_groups]
        for scheduler in schedulers:
            scheduler.step()
    saved = np.load(_SAVED)
    np.testing.assert_allclose(rates[saved['step_index']], saved['lr_toco'], rtol=1e-5)
    np.testing.assert_allclose(rates[1499:1501, 0], [5.996e-5, 5.593e-5], rtol=1e-3)
