"""When losses start and stop, and what the lines at the start of a training say."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import init_default_scope

from wsss_plugin.datasets import ImageTagDataset
from wsss_plugin.engine.hooks import LossWeightHook
from wsss_plugin.engine.inspection import TaggedSplit, loss_plan, short_form, training_summary
from wsss_plugin.models.needs import Needs


def _model():
    def term(start):
        return SimpleNamespace(begins=lambda length: int(start * length))

    maker = SimpleNamespace(
        starts=lambda length: (0, length // 2),
        needs=lambda at, length: Needs(cams=('final',) if at < length // 2 else ('aux', 'cnn')),
    )
    terms = {'cls': term(0), 'seg': term(0.25), 'ctc': term(0.25), 'late': term(2)}
    return SimpleNamespace(terms=terms, labels={'pixel': maker})


def test_plan_of_losses():
    hook = LossWeightHook('terms.seg', ((0, 0.1), (50, 0.5)))
    assert loss_plan(_model(), [object(), hook], 100) == [
        'losses: cls 0-100; seg, ctc 25-100; late NEVER (from 200 on, the training ends at 100)',
        'labels pixel: final from 0 on, aux+cnn from 50 on',
        'weight of terms.seg: 0.1 from 0 on, 0.5 from 50 on',
    ]
    assert loss_plan(torch.nn.Linear(1, 1), [hook], 100) == []
    between = {'cross': _model().terms['seg']}
    students = SimpleNamespace(students={'first': _model()}, terms=between, labels=_model().labels)
    assert loss_plan(students, [], 100) == [
        'first: losses: cls 0-100; seg, ctc 25-100; late NEVER (from 200 on, the training ends at '
        '100)',
        'first: labels pixel: final from 0 on, aux+cnn from 50 on',
        'losses: cross 25-100',
    ]


def test_a_class_without_its_absence_is_said():
    paths = tuple('abcde')
    split = TaggedSplit('train', ('cat',), paths, paths, ((0,),) * 5, (None,) * 5, ())
    assert short_form([split])[1] == (
        'train: every image is tagged cat, so nothing shows what that is not; add images without it'
    )


def test_many_classes_are_cut():
    classes = tuple(f'c{number}' for number in range(40))
    tags = tuple(tuple(range(number, 40)) for number in range(40))
    paths = tuple(map(str, tags))
    split = TaggedSplit('train', classes, paths, paths, tags, (None,) * 40, ())
    line, every = short_form([split])
    assert line.endswith('images by class: c0 1, c1 2, c2 3, c3 4 ... c38 39, c39 40')
    assert 'every image is tagged c39, ' in every


@pytest.mark.parametrize('wrapped', [False, True])
def test_summary_of_a_training_moves_no_random_stream(spotty, wrapped):
    init_default_scope('mmseg')
    parts = {name: dict(spotty[f'{name}_dataloader'].dataset) for name in ('train', 'val')}
    for part in parts.values():
        part.pop('type')
    train, val = (ImageTagDataset(**part) for part in parts.values())
    runner = SimpleNamespace(
        model=_model(),
        hooks=[],
        max_iters=100,
        train_dataloader=SimpleNamespace(
            dataset=SimpleNamespace(dataset=train) if wrapped else train
        ),
        val_loop=object(),
        val_dataloader=SimpleNamespace(dataset=val),
    )
    before = torch.get_rng_state()
    lines = training_summary(runner)
    assert torch.equal(before, torch.get_rng_state())
    assert [line.partition(':')[0] for line in lines] == [
        'train',
        'train',
        'train',
        'val',
        'val',
        'val',
        '1 images of train are also in val',
        'losses',
        'labels pixel',
    ]
    assert lines[6].endswith('d.png')
