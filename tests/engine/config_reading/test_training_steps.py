import pytest
from mmengine.config import Config

from wsss_plugin.engine.config_reading.training_steps import (
    check_schedules,
    check_steps,
    set_length,
)


def _config(**changes):
    model = dict(
        terms=dict(seg=dict(start=200), ctc=dict(start=0.3), cls=dict(), off=None),
        labels=dict(
            pixel=dict(
                cams=((0, ('final',)), (500, ('aux', 'decoder'))),
                filters=dict(noise=dict(start=401)),
            ),
            token=dict(cams=('aux',)),
        ),
        students=dict(first=dict(terms=dict(seg=dict(start=100)))),
    )
    content = dict(
        max_iters=1000,
        model=model,
        param_scheduler=dict(
            vit=[
                dict(type='LinearLR', by_epoch=False, begin=0, end=101),
                dict(type='MultiStepLR', by_epoch=False, milestones=[100], gamma=0.9),
                dict(type='PolyLR', by_epoch=False, begin=100, end=1001),
            ]
        ),
        custom_hooks=[
            dict(type='CosineThresholdHook', start=0.7, end=0.5, begin=250, total=750),
            dict(type='LossWeightHook', loss='terms.seg', weights=((0, 0.1), (500, 0.5))),
            dict(type='EffectiveBatchSizeHook', paper_batch_size=4),
        ],
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=50),
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=500),
        ),
        train_cfg=dict(max_iters=1000, val_interval=250),
    )
    return Config({**content, **changes})


def test_all_steps_move_with_the_length():
    config = _config()
    set_length(config, 200)
    linear, milestones, poly = config.param_scheduler.vit
    assert (linear.end, milestones.milestones, poly.begin, poly.end) == (21, [20], 20, 201)
    terms, labels = config.model.terms, config.model.labels
    assert (terms.seg.start, terms.ctc.start, terms.cls) == (0.2, 0.3, {})
    assert labels.pixel.cams == ((0, ('final',)), (0.5, ('aux', 'decoder')))
    assert labels.token.cams == ('aux',)
    assert labels.pixel.filters.noise.start == 0.401
    assert config.model.students.first.terms.seg.start == 0.1
    threshold, weight, batch = config.custom_hooks
    assert (threshold.begin, threshold.total, threshold.start) == (50, 150, 0.7)
    assert weight.weights == ((0, 0.1), (0.5, 0.5))
    assert batch.paper_batch_size == 4
    assert (config.train_cfg.max_iters, config.train_cfg.val_interval) == (200, 50)
    assert config.max_iters == 200
    assert config.default_hooks.checkpoint.interval == 100
    assert config.default_hooks.logger.interval == 20
    check_steps(config)


@pytest.mark.parametrize('length', [1, 2, 3, 10**7])
def test_steps_come_before_the_end_however_long_a_training_is(length):
    config = _config()
    set_length(config, length)
    check_steps(config)
    check_schedules(config)
    assert config.param_scheduler.vit[2].end == length + 1


def test_schedules_by_epoch_and_one_schedule_alone():
    schedule = dict(type='PolyLR', by_epoch=True, begin=0, end=50)
    config = _config(param_scheduler=[schedule, dict(schedule, by_epoch=False, end=1000)])
    set_length(config, 100)
    assert [one.end for one in config.param_scheduler] == [50, 100]
    config = _config(param_scheduler=dict(schedule, by_epoch=False, end=1000))
    set_length(config, 100)
    assert config.param_scheduler.end == 100


@pytest.mark.parametrize('length', [0, -1, 2.5, '200', True, None])
def test_refuses_a_length_that_is_none(length):
    with pytest.raises(ValueError, match='max_iters: expected a whole number'):
        set_length(_config(), length)


def test_refuses_a_length_for_a_training_by_epochs():
    with pytest.raises(ValueError, match=r'which has train_cfg\.max_iters, received train_cfg=.*3'):
        set_length(_config(train_cfg=dict(max_epochs=3)), 200)


@pytest.mark.parametrize(
    ('key', 'value', 'match'),
    [
        ('model.terms.seg.start', 1000, r'model\.terms\.seg\.start: expected it to begin.*1000'),
        ('model.terms.seg.start', 5000, 'at 999 at the latest, received 5000'),
        ('model.students.first.terms.seg.start', 1000, r'model\.students\.first\.terms\.seg'),
        ('model.labels.pixel.cams', ((0, ('a',)), (1000, ('b',))), r'labels\.pixel\.cams'),
        ('model.labels.pixel.filters.noise.start', 1000, r'filters\.noise\.start'),
        ('custom_hooks.0.total', 1500, r'custom_hooks\.0\.total: expected it to end'),
        ('custom_hooks.0.begin', 1000, r'custom_hooks\.0\.begin'),
        ('custom_hooks.1.weights', ((0, 0.1), (1000, 1)), r'custom_hooks\.1\.weights'),
        ('param_scheduler.vit.0.end', 1500, r'param_scheduler\.vit\.0\.end: expected it to end'),
        ('param_scheduler.vit.1.milestones', [1000], r'param_scheduler\.vit\.1\.milestones'),
        ('param_scheduler.vit.2.begin', 1000, r'param_scheduler\.vit\.2\.begin'),
        ('max_iters', 200, r'received max_iters=200 and train_cfg\.max_iters=1000'),
        ('train_cfg.max_iters', 200, 'max_iters=1000 and train_cfg.max_iters=200'),
    ],
)
def test_refuses_steps_at_the_end_or_beyond(key, value, match):
    config = _config()
    check_steps(config)
    config.merge_from_dict({key: value})
    with pytest.raises(ValueError, match=match):
        check_steps(config)


def test_a_training_that_is_stopped_early_keeps_its_steps():
    config = _config(train_cfg=dict(max_iters=100), scale_steps=False)
    config.pop('max_iters')
    check_steps(config)
    config.scale_steps = True
    with pytest.raises(ValueError, match='scale_steps=False'):
        check_steps(config)
    check_steps(Config(dict(train_cfg=dict(max_epochs=3))))


_POLY = dict(type='PolyLR', by_epoch=False, begin=0, end=101)


@pytest.mark.parametrize(
    ('schedules', 'key'),
    [
        (dict(vit=[dict(type='LinearLR', by_epoch=False, end=10), _POLY]), 'param_scheduler.vit.1'),
        ([_POLY], 'param_scheduler.0'),
        (_POLY, 'param_scheduler'),
    ],
)
def test_schedules_shorter_than_the_training(schedules, key):
    def config(max_iters):
        return Config(dict(param_scheduler=schedules, train_cfg=dict(max_iters=max_iters)))

    check_schedules(config(100))
    with pytest.raises(ValueError, match=rf'max_iters=200 .*received {key} \(PolyLR\).*end=101'):
        check_schedules(config(200))


@pytest.mark.parametrize(
    'schedule',
    [
        dict(_POLY, eta_min=1e-6),
        dict(_POLY, by_epoch=True),
        dict(_POLY, end=None),
        dict(type='MultiStepLR', by_epoch=False, end=101, milestones=[10]),
    ],
)
def test_schedules_that_do_not_end_at_zero(schedule):
    config = Config(dict(param_scheduler=[schedule], train_cfg=dict(max_iters=200)))
    check_schedules(config)
    config.pop('param_scheduler')
    check_schedules(config)
    check_schedules(Config(dict(param_scheduler=[_POLY])))
