"""ToCo's training by the runner beside a loop over torch's own AdamW with the published rates."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from wsss_plugin.datasets import ShapesConfig, ShapesGenerator

_CONFIG = Path(__file__).parents[2] / 'configs' / 'ablations' / 'shapes' / 'toco_shapes.py'
_RATE, _STEPS, _WARMUP = 1e-3, 6, 2


@HOOKS.register_module(force=True)
class KeepBatchesHook(Hook):
    """Keeps the first weights, and every batch with its losses."""

    priority = 'VERY_HIGH'

    def __init__(self):
        self.batches, self.losses = [], []

    def before_train(self, runner):
        self.weights = copy.deepcopy(runner.model.state_dict())

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        del runner, batch_idx
        self.batches.append(copy.deepcopy(data_batch))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        del runner, batch_idx, data_batch
        self.losses.append(float(outputs['loss'].detach()))


@pytest.fixture(params=['skip', 'zero'])
def trained(tmp_path, request):
    """The runner after its training, and what the hook kept."""
    data = tmp_path / 'data'
    ShapesGenerator(ShapesConfig(train=8, val=2, size=48)).write(data)
    config = Config.fromfile(_CONFIG)
    config.merge_from_dict(
        {
            'work_dir': str(tmp_path / 'work'),
            'experiment_name': tmp_path.name,
            'visualizer.name': tmp_path.name,
            'train_dataloader.batch_size': 2,
            'train_dataloader.num_workers': 0,
            'train_dataloader.persistent_workers': False,
            'train_dataloader.dataset.data_root': str(data),
            'train_dataloader.dataset.pipeline.1.crop_size': 48,
            'model.backbone.model_args.img_size': 48,
            'model.terms.ctc.local_crops.size': 16,
            'optim_wrapper.optimizers.vit.lr': _RATE,
            'optim_wrapper.paramwise_cfg.head_lr_mult': 10,
        }
    )
    for name in ('ptc', 'ctc'):
        config.model.terms[name].start = 0
    config.model.terms.seg.start = 3
    for name in ('ctc', 'seg'):
        config.model.terms[name].idle = request.param
    poly = dict(type='PolyLR', power=0.9, by_epoch=False)
    drop = (1 - _WARMUP / _STEPS) ** 0.9
    config.param_scheduler = dict(
        vit=[
            dict(type='LinearLR', start_factor=1e-6, by_epoch=False, begin=0, end=_WARMUP + 1),
            dict(type='MultiStepLR', milestones=[_WARMUP], gamma=drop, by_epoch=False),
            dict(poly, begin=_WARMUP, end=_STEPS + 1),
        ]
    )
    config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=_STEPS)
    config.custom_hooks = [dict(type='KeepBatchesHook')]
    for split in ('val', 'test'):
        for part in ('dataloader', 'evaluator', 'cfg'):
            config.pop(f'{split}_{part}')
    runner = Runner.from_cfg(config)
    runner.train()
    return runner, next(hook for hook in runner.hooks if isinstance(hook, KeepBatchesHook))


def _published_factor(step: int) -> float:
    if step < _WARMUP:
        return 1 - (1 - step / _WARMUP) * (1 - 1e-6)
    return (1 - step / _STEPS) ** 0.9


def test_weights_and_losses_are_those_of_a_plain_loop(trained):
    runner, kept = trained
    model, expected = runner.model, copy.deepcopy(runner.model.state_dict())
    model.load_state_dict(kept.weights)
    optimizer = torch.optim.AdamW(
        [
            dict(params=list(model.backbone.parameters()), base=_RATE),
            dict(
                params=[
                    parameter
                    for name in ('decode_head', 'cams', 'terms')
                    for parameter in getattr(model, name).parameters()
                    if parameter.requires_grad
                ],
                base=10 * _RATE,
            ),
        ],
        weight_decay=0.01,
    )
    for step, batch in enumerate(kept.batches):
        MessageHub.get_current_instance().update_info('iter', step)
        for group in optimizer.param_groups:
            group['lr'] = group['base'] * _published_factor(step)
        losses = model.loss(**model.data_preprocessor(batch, training=True))
        total = sum(value for name, value in losses.items() if 'loss' in name)
        assert total.item() == pytest.approx(kept.losses[step], abs=1e-5)
        optimizer.zero_grad()
        total.backward()
        missing = {p for p in model.decode_head.parameters() if p.grad is None}
        if model.terms['seg'].idle == 'zero':
            # The published loop multiplies this loss by 0 before its start.
            assert not missing
            if step < 3:
                for parameter in model.decode_head.parameters():
                    parameter.grad = torch.zeros_like(parameter)
        else:
            assert bool(missing) == (step < 3)
        optimizer.step()
    assert len(kept.batches) == _STEPS
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter, expected[name], rtol=0, atol=1e-5)
        if 'decode_head' in name and model.terms['seg'].idle == 'zero':
            assert optimizer.state[parameter]['step'] == _STEPS
        moved = not torch.equal(parameter, kept.weights[name])
        assert moved == parameter.requires_grad or 'terms.ctc.teacher' in name, name
