import json

import pytest
import torch
from mmengine.fileio import LocalBackend
from processes import run_two_processes


def _assert_same(received, expected, names=('loss', 'high', 'vit.base_lr', 'cnn.base_lr')):
    assert [record['iter'] for record in received] == [record['iter'] for record in expected]
    for name in names:
        torch.testing.assert_close(
            torch.tensor([record[name] for record in received], dtype=torch.float64),
            torch.tensor([record[name] for record in expected], dtype=torch.float64),
            rtol=1e-5,
            atol=1e-9,
        )


def _train_two_processes(toy, folder, accumulative_counts=1):
    config = toy.toy_config(
        folder,
        batch_size=2 // accumulative_counts,
        max_iters=8 * accumulative_counts,
        launcher='pytorch',
        constant=accumulative_counts > 1,
        accumulative_counts=accumulative_counts,
    )

    def train(rank):
        records, _ = toy.train(config)
        if rank == 0:
            (folder / 'records.json').write_text(json.dumps(records))
        torch.distributed.destroy_process_group()

    run_two_processes(train, folder)
    return json.loads((folder / 'records.json').read_text())


def test_losses_fall_and_both_branches_move(toy, tmp_path):
    config = toy.toy_config(tmp_path)
    before = toy.ToyModel().state_dict()
    records, runner = toy.train(config)
    assert records[-1]['loss'] < records[0]['loss']
    assert all(not torch.equal(before[k], v) for k, v in runner.model.state_dict().items())


def test_two_processes_equal_one(toy, tmp_path):
    expected, _ = toy.train(toy.toy_config(tmp_path / 'one'))
    _assert_same(_train_two_processes(toy, tmp_path / 'two'), expected)


def test_two_accumulating_processes_update_like_one(toy, tmp_path):
    """Four samples per step: two processes of one sample, accumulated twice."""
    _train_two_processes(toy, tmp_path / 'two', accumulative_counts=2)
    _, runner = toy.train(toy.toy_config(tmp_path / 'one', constant=True))
    weights = torch.load(tmp_path / 'two' / 'iter_16.pth', weights_only=True)['state_dict']
    _assert_same_weights(weights, runner.model.state_dict())


def _assert_same_weights(received, expected):
    assert received.keys() == expected.keys()
    for name, weight in expected.items():
        torch.testing.assert_close(received[name], weight, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize('options', [{}, {'dtype': 'bfloat16'}, {'accumulative_counts': 2}])
def test_resumed_training_equals_uninterrupted(toy, tmp_path, options):
    expected, whole = toy.train(toy.toy_config(tmp_path / 'whole', **options))
    interrupted = toy.toy_config(tmp_path / 'parts', **options)
    first, _ = toy.train(_stop_after(interrupted, 4))
    resumed = toy.toy_config(tmp_path / 'parts', **options)
    resumed.update(resume=True, load_from=str(tmp_path / 'parts' / 'iter_4.pth'))
    resumed.experiment_name += 'b'
    second, runner = toy.train(resumed)
    _assert_same(first + second, expected)
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(runner.model.state_dict()[name], weight, rtol=1e-6, atol=1e-8)
    # The log's histories are whole too.
    for name in ('train/loss', 'train/high_threshold'):
        assert len(runner.message_hub.get_scalar(name).data[0]) == 8


def _stop_after(config, iterations):
    """Schedules are those of eight iterations; only the loop ends earlier."""
    config.train_cfg.max_iters = iterations
    return config


@pytest.mark.parametrize('safe', [True, False])
def test_only_whole_checkpoints_are_noted_as_the_last(toy, tmp_path, monkeypatch, safe):
    """The tools take a training for finished by this note."""
    config = toy.toy_config(tmp_path)
    if not safe:
        config.custom_hooks.remove({'type': 'SafeCheckpointHook'})
    save = LocalBackend.put

    def put(backend, content, path):
        if path.endswith('iter_8.pth'):
            save(backend, content[:99], path)
            raise OSError('no space left')
        save(backend, content, path)

    monkeypatch.setattr(LocalBackend, 'put', put)
    with pytest.raises(OSError, match='no space left'):
        toy.train(config)
    assert (tmp_path / 'iter_8.pth').is_file()
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_4.pth')
    monkeypatch.undo()
    config.update(resume=True, experiment_name=config.experiment_name + 'b')
    # torch refuses what the other hook would have replaced.
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    toy.train(config)
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_8.pth')


def test_accumulation_over_parts_equals_one_batch(toy, tmp_path):
    _, whole = toy.train(toy.toy_config(tmp_path / 'whole', 4, 4, constant=True))
    parts = toy.toy_config(tmp_path / 'parts', 2, 8, constant=True, accumulative_counts=2)
    _, parts = toy.train(parts)
    _assert_same_weights(parts.model.state_dict(), whole.model.state_dict())


@pytest.mark.filterwarnings('error:Detected call of `scheduler.step')
def test_schedulers_see_that_the_optimisers_step_first(toy, tmp_path):
    toy.train(toy.toy_config(tmp_path, max_iters=2))


def test_last_incomplete_accumulation_is_stepped(toy, tmp_path):
    """Seven iterations by three: the last one is a step of its own."""
    clip = {'max_norm': 0.5}
    options = {'accumulative_counts': 3, 'clip_grad': clip}
    _, runner = toy.train(toy.toy_config(tmp_path, 2, 7, constant=True, **options))
    states = runner.optim_wrapper['vit'].optimizer.state.values()
    assert {int(state['step']) for state in states} == {3}
    assert clip == {'max_norm': 0.5}


def test_overflow_skips_both_branches(toy, tmp_path):
    """Float16 with clipping: an infinite loss of one branch must not poison the other."""
    options = {'dtype': 'float16', 'loss_scale': {'init_scale': 64.0}}
    options['clip_grad'] = {'max_norm': 1.0}
    config = toy.toy_config(tmp_path, max_iters=1, **options)
    config.model.spoil_at = 1
    _, runner = toy.train(config)
    for name, weight in toy.ToyModel().state_dict().items():
        assert torch.equal(runner.model.state_dict()[name], weight)
    assert runner.optim_wrapper.loss_scaler.get_scale() == 32.0


@pytest.mark.parametrize('dtype', ['bfloat16', 'float16'])
def test_mixed_precision_trains(toy, tmp_path, dtype):
    expected, _ = toy.train(toy.toy_config(tmp_path / 'full'))
    records, runner = toy.train(toy.toy_config(tmp_path / 'mixed', dtype=dtype, loss_scale=64.0))
    losses = torch.tensor([record['loss'] for record in records])
    torch.testing.assert_close(
        losses, torch.tensor([record['loss'] for record in expected]), rtol=0.1, atol=0.05
    )
    assert ('loss_scaler' in runner.optim_wrapper.state_dict()) == (dtype == 'float16')
