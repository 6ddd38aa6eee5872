import logging
from types import SimpleNamespace

import pytest

from wsss_plugin.engine.hooks import EffectiveBatchSizeHook, effective_batch_size_hook


@pytest.fixture
def messages(monkeypatch):
    seen = []

    def record(message, level=logging.INFO, **_):
        seen.append((level, message))

    monkeypatch.setattr(effective_batch_size_hook, 'print_log', record)
    return seen


def _runner(accumulated=1):
    return SimpleNamespace(
        train_dataloader=SimpleNamespace(batch_size=2),
        world_size=2,
        optim_wrapper=SimpleNamespace(_accumulative_counts=accumulated),
    )


def test_says_the_product(messages):
    EffectiveBatchSizeHook(4).before_train(_runner())
    ((level, message),) = messages
    assert level == logging.INFO
    assert '4 = 2 per process x 2 processes x 1 accumulated' in message


def test_warns_of_another_batch_size_than_the_papers(messages):
    EffectiveBatchSizeHook(4).before_train(_runner(accumulated=3))
    ((level, message),) = messages
    assert level == logging.WARNING
    assert '12 = ' in message
    assert 'the paper used 4' in message


def test_without_a_paper_it_only_reports(messages):
    EffectiveBatchSizeHook().before_train(_runner())
    assert messages[0][0] == logging.INFO


@pytest.mark.parametrize(('sampler', 'text'), [({'batch_size': 3}, '6 = 3 per'), ({}, 'unknown')])
def test_batches_may_be_a_sampler_s(messages, sampler, text):
    runner = _runner()
    loader = SimpleNamespace(batch_size=None, batch_sampler=SimpleNamespace(**sampler))
    runner.train_dataloader = loader
    EffectiveBatchSizeHook(4).before_train(runner)
    ((_, message),) = messages
    assert f'optimiser step: {text}' in message


def test_refuses_no_images():
    with pytest.raises(ValueError, match='paper_batch_size'):
        EffectiveBatchSizeHook(0)
