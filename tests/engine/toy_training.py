"""A training of two linear branches through the runner."""

from __future__ import annotations

import time
from types import SimpleNamespace

import torch
from mmengine.config import Config
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmseg.registry import DATASETS, HOOKS, MODELS
from torch import nn

from wsss_plugin import compat, engine  # noqa: F401  (fills the registries)


@DATASETS.register_module(force=True)
class ToyDataset(torch.utils.data.Dataset):
    def __init__(self):
        self.metainfo = {'classes': ('background', 'thing')}

    def __len__(self):
        return 32

    def __getitem__(self, index):
        generator = torch.Generator().manual_seed(int(index))
        return {'inputs': torch.randn(4, generator=generator), 'data_samples': float(index % 3)}


@MODELS.register_module(force=True)
class ToyModel(BaseModel):
    """The loss depends on the threshold, so that a wrong one is seen."""

    def __init__(self, spoil_at=None):
        super().__init__()
        torch.manual_seed(1)
        self.backbone = nn.ModuleDict({'vit': nn.Linear(4, 3), 'cnn': nn.Linear(4, 3)})
        self.cams = nn.ModuleDict({'final': nn.Linear(3, 1), 'cnn': nn.Linear(3, 1)})
        self.thresholds = SimpleNamespace(low=0.25, high=0.0)
        self.spoil_at = spoil_at
        self.calls = 0

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert mode == 'loss'
        x = torch.stack(list(inputs)) if isinstance(inputs, (list, tuple)) else inputs
        target = torch.as_tensor(data_samples, dtype=torch.float32)
        vit = self.cams['final'](self.backbone['vit'](x).tanh()).squeeze(1)
        cnn = self.cams['cnn'](self.backbone['cnn'](x).tanh()).squeeze(1)
        loss_vit = (vit.float() - target).square().mean() * self.thresholds.high
        loss_cnn = (cnn.float() - target).square().mean()
        self.calls += 1
        if self.calls == self.spoil_at:
            loss_cnn = loss_cnn * float('inf')
        return {'loss_vit': loss_vit, 'loss_cnn': loss_cnn}


@HOOKS.register_module(force=True)
class RecordHook(Hook):
    """Keeps losses (mean over processes), learning rates and thresholds."""

    priority = 'VERY_LOW'

    def __init__(self, pause=0.0):
        self.records = []
        self.pause = pause

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        del data_batch
        time.sleep(self.pause)
        hub = runner.message_hub
        record = {'iter': batch_idx, 'high': hub.get_scalar('train/high_threshold').current()}
        for name in ('vit.base_lr', 'cnn.base_lr'):
            record[name] = hub.get_scalar(f'train/{name}').current()
        for name in ('loss', 'loss_vit', 'loss_cnn'):
            value = torch.as_tensor(outputs[name].item(), dtype=torch.float64)
            all_reduce(value, 'mean')
            record[name] = value.item()
        self.records.append(record)


def toy_config(
    work_dir, batch_size=4, max_iters=8, launcher='none', constant=False, **optim_options
):
    config = Config(
        {
            'default_scope': 'mmseg',
            'work_dir': str(work_dir),
            'launcher': launcher,
            'model': {'type': 'ToyModel'},
            'train_dataloader': {
                'batch_size': batch_size,
                'num_workers': 0,
                'dataset': {'type': 'ToyDataset'},
                'sampler': {'type': 'InfiniteSampler', 'shuffle': False},
            },
            'train_cfg': {'type': 'IterBasedTrainLoop', 'max_iters': max_iters},
            'optim_wrapper': {
                'type': 'OptimWrapper',
                'constructor': 'DualBranchOptimWrapperConstructor',
                'optimizers': {
                    'vit': {'type': 'AdamW', 'lr': 1e-2},
                    'cnn': {'type': 'SGD', 'lr': 1e-2, 'momentum': 0.9},
                },
                'paramwise_cfg': {'branches': {'cnn': ['backbone.cnn', 'cams.cnn']}},
                **optim_options,
            },
            'param_scheduler': {
                'vit': [{'type': 'PolyLR', 'by_epoch': False, 'begin': 0, 'end': 9}],
                'cnn': [{'type': 'LinearLR', 'by_epoch': False, 'begin': 0, 'end': 5}],
            },
            'default_hooks': {
                'runtime_info': {'type': 'RuntimeInfoHook'},
                'logger': {'type': 'LoggerHook', 'interval': 2},
                'param_scheduler': {'type': 'ParamSchedulerHook'},
                'checkpoint': {'type': 'CheckpointHook', 'by_epoch': False, 'interval': 4},
            },
            'custom_hooks': [
                {'type': 'CosineThresholdHook', 'start': 0.7, 'end': 0.55, 'total': 8},
                {'type': 'SafeCheckpointHook'},
                {'type': 'CheckpointShapeHook'},
                {'type': 'EffectiveBatchSizeHook', 'paper_batch_size': 4},
                {'type': 'RecordHook'},
            ],
            'log_processor': {'by_epoch': False},
            'model_wrapper_cfg': {
                'type': 'DeviceAgnosticDistributedDataParallel',
                'broadcast_buffers': False,
            },
            'randomness': {'seed': 0},
            'experiment_name': f'toy{abs(hash(str(work_dir))) % 10**8}',
        }
    )
    if constant:
        config.pop('param_scheduler')
        config.custom_hooks[0] = {'type': 'CosineThresholdHook', 'start': 0.6, 'end': 0.6}
    return config


def train(config):
    """Returns the records and the runner."""
    if config.launcher == 'none':
        config.pop('model_wrapper_cfg', None)
    compat.init_distributed(config.launcher)
    runner = Runner.from_cfg(config)
    runner.train()
    records = next(hook for hook in runner._hooks if isinstance(hook, RecordHook)).records
    return records, runner
