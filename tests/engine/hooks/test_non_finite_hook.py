from __future__ import annotations

import pytest
import torch
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from wsss_plugin.engine import NonFiniteHook, ProgressKeeper
from wsss_plugin.engine.batch_images import image_names


@pytest.fixture
def run(toy, tmp_path):
    """Trains the toy as tools/train.py does, with one checkpoint kept."""

    def run(max_skipped=24, **changes):
        config = toy.toy_config(tmp_path, **changes)
        config.custom_hooks += [dict(type='NonFiniteHook', max_skipped=max_skipped)]
        config.default_hooks.checkpoint.update(
            type='WholeCheckpointHook', interval=2, max_keep_ckpts=1
        )
        config.pop('model_wrapper_cfg')
        runner = Runner.from_cfg(config)
        with ProgressKeeper.attached(runner):
            runner.train()
        return runner

    return run


def spoil(toy, monkeypatch, call, change):
    """Changes the losses of one iteration."""
    forward, calls = toy.ToyModel.forward, []

    def spoilt(self, *args, **kwargs):
        calls.append(1)
        losses = forward(self, *args, **kwargs)
        return change(self, losses) if len(calls) == call else losses

    monkeypatch.setattr(toy.ToyModel, 'forward', spoilt)
    return calls


def _nan_loss(_, losses):
    return {**losses, 'loss_cnn': losses['loss_cnn'] * float('nan')}


def _infinite_gradient(model, losses):
    """A finite loss: the root has an infinite slope at 0."""
    zero = (model.backbone['cnn'].weight * 0).sum()
    return {**losses, 'loss_root': zero.abs().sqrt()}


def _loss_without_gradient(_, losses):
    return {**losses, 'loss_other': torch.tensor(float('inf'))}


@pytest.mark.parametrize(
    ('change', 'found'),
    [
        (_nan_loss, r'loss_cnn=nan; gradients of backbone\.cnn\.weight'),
        (_infinite_gradient, r'received gradients of backbone\.cnn\.weight in'),
        (_loss_without_gradient, r'received loss_other=inf in'),
    ],
)
def test_stops_at_the_first_step_and_keeps_the_checkpoint(
    toy, run, tmp_path, monkeypatch, change, found
):
    _, whole = toy.train(toy.toy_config(tmp_path / 'whole', max_iters=2))
    calls = spoil(toy, monkeypatch, 4, change)
    with pytest.raises(RuntimeError, match=rf'{found}.*iteration 4.*--resume'):
        run()
    # Neither the one that was due in this iteration nor one of the keeper.
    assert len(calls) == 4
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_2.pth']
    weights = torch.load(tmp_path / 'iter_2.pth', weights_only=True)['state_dict']
    torch.testing.assert_close(weights, dict(whole.model.state_dict()), rtol=0, atol=0)


@pytest.mark.parametrize('call', [3, 4])
def test_accumulated_gradients(toy, run, monkeypatch, call):
    calls = spoil(toy, monkeypatch, call, _infinite_gradient)
    with pytest.raises(RuntimeError, match='iteration 4'):
        run(accumulative_counts=2, constant=True)
    assert len(calls) == 4


def test_finite_figures_without_a_loss_do_not_matter(toy, run, tmp_path, monkeypatch):
    spoil(toy, monkeypatch, 2, lambda _, losses: {**losses, 'accuracy': torch.tensor(float('nan'))})
    run()
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_8.pth']


def _overflow(run, max_skipped, monkeypatch, spoilt):
    """float16 on a CPU: every scaled gradient in ``spoilt`` iterations overflows."""
    runners = []
    step = torch.amp.GradScaler.step
    calls = []

    def overflow(self, optimizer, *args, **kwargs):
        calls.append(1)
        if len(calls) in spoilt:
            for group in optimizer.param_groups:
                for parameter in group['params']:
                    if parameter.grad is not None:
                        parameter.grad.fill_(float('inf'))
        return step(self, optimizer, *args, **kwargs)

    monkeypatch.setattr(torch.amp.GradScaler, 'step', overflow)
    runners.append(run(max_skipped, dtype='float16'))
    return runners[0]


def test_steps_that_mixed_precision_leaves_out_do_not_count(run, tmp_path, monkeypatch):
    _overflow(run, 3, monkeypatch, {1, 2, 3, 5, 6, 7})
    assert (tmp_path / 'iter_8.pth').is_file()


def test_too_many_of_them_do(run, tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match=r'4 steps in a row left out by mixed.*iteration 4'):
        _overflow(run, 3, monkeypatch, {1, 2, 3, 4})
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_2.pth']


def test_weights_that_are_not_finite_do_not_begin(toy, run, monkeypatch):
    init = toy.ToyModel.__init__

    def spoilt(self, *args, **kwargs):
        init(self, *args, **kwargs)
        torch.nn.init.constant_(self.cams['final'].bias, float('nan'))

    monkeypatch.setattr(toy.ToyModel, '__init__', spoilt)
    with pytest.raises(ValueError, match=r'ToyModel at the start.*in cams\.final\.bias'):
        run()


def test_weights_that_are_not_finite_are_not_saved(toy, run, tmp_path, monkeypatch):
    """Statistics of a normalisation, say, which no gradient reaches."""
    after = toy.RecordHook.after_train_iter

    def spoil_weights(self, runner, *args, **kwargs):
        after(self, runner, *args, **kwargs)
        if runner.iter == 3:
            torch.nn.init.constant_(runner.model.cams['final'].bias, float('inf'))

    monkeypatch.setattr(toy.RecordHook, 'priority', 'NORMAL')
    monkeypatch.setattr(toy.RecordHook, 'after_train_iter', spoil_weights)
    with pytest.raises(ValueError, match=r'to be saved \(iteration 4\).*in cams\.final\.bias'):
        run()
    assert [path.name for path in tmp_path.glob('*.pth')] == ['iter_2.pth']


def test_images_are_named():
    samples = [BaseDataElement(metainfo=dict(img_path=f'{name}.jpg')) for name in 'ab']
    assert image_names({'data_samples': [*samples, BaseDataElement()]}) == ['a.jpg', 'b.jpg']
    assert image_names([1]) == []


def test_the_limit_is_checked():
    with pytest.raises(ValueError, match='at least 1, received 0'):
        NonFiniteHook(max_skipped=0)
