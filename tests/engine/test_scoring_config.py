import contextlib

import pytest
from mmengine.config import Config

from wsss_plugin.engine import scoring_config


@pytest.fixture
def config():
    return Config(
        dict(
            model=dict(type='A', value=1),
            test_dataloader=dict(dataset=dict(pipeline=[])),
            test_evaluator=[dict(type='WSSSMetric'), dict(type='Other')],
            default_hooks=dict(visualization=dict(type='SegVisualizationHook')),
            visualizer=dict(type='SegLocalVisualizer'),
        )
    )


def test_crf_goes_to_the_metric_that_knows_it(config):
    scoring_config.enable_crf(config, workers=3)
    assert config.test_evaluator[0] == {'type': 'WSSSMetric', 'crf': {}, 'crf_workers': 3}
    assert config.test_evaluator[1] == {'type': 'Other'}
    config.test_evaluator = {'type': 'WSSSMetric', 'crf': {'num_iter': 2}}
    scoring_config.enable_crf(config)
    assert config.test_evaluator == {'type': 'WSSSMetric', 'crf': {'num_iter': 2}}
    config.test_evaluator = {'type': 'Other'}
    with pytest.raises(KeyError, match='WSSSMetric'):
        scoring_config.enable_crf(config)


def test_tta_wraps_the_model(config):
    with pytest.raises(KeyError, match='tta_model'):
        scoring_config.enable_tta(config)
    resize = [{'type': 'Resize', 'scale_factor': scale} for scale in (1.0, 1.5)]
    flips = [{'type': 'RandomFlip', 'prob': probability} for probability in (0.0, 1.0)]
    pipeline = [{'type': 'B'}, {'type': 'TestTimeAug', 'transforms': [resize, flips]}]
    config.tta_model, config.tta_pipeline = {'type': 'SegTTAModel'}, pipeline
    scoring_config.enable_tta(config)
    assert config.model.type == 'SegTTAModel'
    assert config.model.module.type == 'A'
    assert config.test_dataloader.dataset.pipeline == pipeline
    assert config.test_evaluator[0] == {'type': 'WSSSMetric', 'scales': (1.0, 1.5), 'flip': True}
    assert config.test_evaluator[1] == {'type': 'Other'}


@pytest.mark.parametrize(
    ('resize', 'scale'),
    [
        (dict(scale=(64, 32), keep_ratio=True), None),
        (dict(scale_factor=(1.5, 0.5)), None),
        (dict(scale_factor=(1.5, 1.5)), 1.5),
    ],
)
def test_scales_that_cannot_be_told_are_not_invented(config, resize, scale):
    alternatives = [dict(type='Resize', scale_factor=0.5), dict(type='Resize', **resize)]
    config.tta_model = dict(type='SegTTAModel')
    config.tta_pipeline = [dict(type='TestTimeAug', transforms=[alternatives])]
    with pytest.warns(UserWarning, match='unknown') if scale is None else contextlib.nullcontext():
        scoring_config.enable_tta(config)
    assert config.test_evaluator[0].scales == (0.5, scale)


def test_metrics_by_their_key(config):
    assert scoring_config.wsss_metrics(config) == {'test_evaluator.0': {'type': 'WSSSMetric'}}
    config.test_evaluator = {'type': 'WSSSMetric'}
    assert list(scoring_config.wsss_metrics(config)) == ['test_evaluator']
    config.pop('test_evaluator')
    assert scoring_config.wsss_metrics(config) == {}


def test_drawing_needs_a_hook(config):
    scoring_config.enable_drawing(config, 'out')
    assert config.default_hooks.visualization.draw
    assert config.default_hooks.visualization.interval == 1
    assert config.visualizer.save_dir == 'out'
    config.pop('visualizer')
    with pytest.raises(KeyError, match='--show-dir'):
        scoring_config.enable_drawing(config, 'out')
