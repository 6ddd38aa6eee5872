"""Two students that are interrupted and resumed end as if they had not been."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import DATASETS
from student_networks import SIDE, dual_config, samples, student_config

from wsss_plugin import engine  # noqa: F401  (fills the registries)

STEPS, STOP = 6, 3


@DATASETS.register_module(force=True)
class StudentViews(torch.utils.data.Dataset):
    """Random images with their strong views, each from its index."""

    def __init__(self):
        self.metainfo = dict(classes=('background', 'a', 'b', 'c'))

    def __len__(self):
        return 2 * STEPS

    def __getitem__(self, index):
        draw = torch.Generator().manual_seed(index)
        sides = dict(view1=SIDE, strong=32)
        views = {
            name: torch.randint(0, 256, (3, side, side), dtype=torch.uint8, generator=draw)
            for name, side in sides.items()
        }
        return dict(inputs=views, data_samples=samples([[index % 2, 1, 1 - index % 2]])[0])


def config(work_dir, stop, resume=False):
    student = student_config(thresholds=dict(low=0.3, high=0.45))
    # The discrepancy needs no more than noise of the start to filter something.
    noise = dict(type='GMMNoiseFilter', start=0.3, fewest=0.0, gap=0.0, certainty=0.5)
    student['labels']['pixel']['filters'] = dict(noise=noise)
    model = dual_config(student=student)
    model['terms']['ignored'].update(start=0.5)
    model['terms']['cross'].update(start=1, idle='zero')
    falling = dict(type='PolyLR', by_epoch=False, begin=0, end=STEPS + 1)
    paths = [f'students.{name}' for name in ('first', 'second')]
    return Config(
        dict(
            default_scope='mmseg',
            work_dir=str(work_dir),
            model=model,
            train_dataloader=dict(
                batch_size=2,
                num_workers=0,
                dataset=dict(type='StudentViews'),
                sampler=dict(type='InfiniteSampler', shuffle=False),
            ),
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=STEPS),
            optim_wrapper=dict(
                type='OptimWrapper',
                constructor='JointOptimWrapperConstructor',
                optimizers=dict(
                    vit=dict(type='AdamW', lr=1e-3), heads=dict(type='SGD', lr=0.01, momentum=0.9)
                ),
                paramwise_cfg=dict(branches=dict(heads=[f'{path}.decode_head' for path in paths])),
            ),
            param_scheduler=dict(vit=[falling], heads=[falling]),
            default_hooks=dict(
                logger=dict(type='LoggerHook', interval=1),
                checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=STOP),
            ),
            custom_hooks=[
                dict(
                    type='CosineThresholdHook',
                    start=(0.45, 0.4, 0.45),
                    end=0.35,
                    targets=[f'{path}.thresholds' for path in paths],
                ),
                dict(type='SafeCheckpointHook'),
            ],
            log_processor=dict(by_epoch=False, window_size=1),
            randomness=dict(seed=0),
            resume=resume,
            experiment_name=f'{work_dir.name}_{stop}',
        )
    )


class StoppedError(Exception):
    pass


def train(work_dir, monkeypatch, stop=None, resume=False):
    """The runner after a training that may stop, and what each step logged."""
    runner = Runner.from_cfg(config(work_dir, stop, resume))
    seen, run = {}, type(runner.model).train_step

    def train_step(self, data, optim_wrapper):
        if runner.iter == stop:
            raise StoppedError
        logged = run(self, data, optim_wrapper)
        seen[runner.iter] = {name: value.item() for name, value in logged.items()}
        seen[runner.iter]['high'] = [one.thresholds.high for one in self.students.values()]
        return logged

    monkeypatch.setattr(type(runner.model), 'train_step', train_step)
    try:
        runner.train()
    except StoppedError:
        pass
    finally:
        monkeypatch.undo()
    return runner, seen


@pytest.mark.usefixtures('iteration')
def test_a_resumed_training_is_the_uninterrupted_one(tmp_path, monkeypatch):
    whole, expected = train(tmp_path / 'whole', monkeypatch)
    train(tmp_path / 'parts', monkeypatch, stop=STOP)
    parts, found = train(tmp_path / 'parts', monkeypatch, resume=True)
    assert sorted(found) == list(range(STOP, STEPS))
    assert found == {step: expected[step] for step in found}
    own, other = whole.model.state_dict(), parts.model.state_dict()
    assert all(torch.equal(own[name], other[name]) for name in own)
    # What could be lost is there: filters, both students' descending thresholds, the late term.
    last = expected[STEPS - 1]
    assert {'first.noise_share', 'second.noise_share', 'loss_ignored_first'} <= set(last)
    assert any(expected[step]['first.noise_share'] > 0 for step in found)
    assert last['high'][0] == last['high'][1] < expected[0]['high'][0]
