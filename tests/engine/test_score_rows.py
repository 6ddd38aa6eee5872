"""The two tests that give three rows, their names, and the table."""

from __future__ import annotations

import math

import pytest
from mmengine.config import Config

from wsss_plugin.engine.score_rows import score_rows, score_table, two_tests


def config(**changes):
    metric = {'type': 'WSSSMetric', 'out_file': 'a/scores.json', 'output_dir': 'masks'}
    steps = [[{'type': 'Resize', 'scale_factor': factor} for factor in (1.0, 1.5)]]
    steps += [[{'type': 'RandomFlip', 'prob': prob} for prob in (0.0, 1.0)]]
    return Config(
        {
            'model': {'type': 'EncoderDecoder', 'test_cfg': {'mode': 'whole', 'cam': True}},
            'test_dataloader': {'dataset': {'pipeline': []}},
            'test_evaluator': [{'type': 'IoUMetric'}, metric],
            'tta_model': {'type': 'ScaleMaxTTAModel'},
            'tta_pipeline': [{'type': 'TestTimeAug', 'transforms': steps}],
            'default_hooks': {'visualization': {'type': 'SegVisualizationHook'}},
            'visualizer': {'type': 'SegLocalVisualizer', 'name': 'eye'},
            'work_dir': 'work/test',
        }
        | changes
    )


METRICS = {
    'raw': {'mIoU': 50.0, 'group/crf/mIoU': 49.0},
    'multi_scale': {
        'mIoU': 60.0,
        'group/crf/mIoU': 59.0,
        'crf/mIoU': 70.0,
        'crf/boundary_mIoU': math.nan,
        'group/crf/crf/mIoU': 69.0,
    },
}


def test_one_scale_then_several_with_crf():
    given = config()
    before = given.to_dict()
    tests = two_tests(given, crf_workers=1)
    assert given.to_dict() == before
    raw, several = tests['raw'], tests['multi_scale']
    assert raw.model == {'type': 'EncoderDecoder', 'test_cfg': {'mode': 'whole', 'cam': False}}
    assert several.model.type == 'ScaleMaxTTAModel'
    assert raw.test_evaluator[1].crf is None
    assert several.test_evaluator[1].crf == {}
    assert several.test_evaluator[1].crf_workers == 1
    assert raw.test_dataloader.dataset.pipeline == []


def test_a_crf_of_the_config_is_kept_for_its_row_only():
    metric = {'type': 'WSSSMetric', 'crf': {'num_iter': 3}}
    tests = two_tests(config(test_evaluator=metric))
    assert tests['raw'].test_evaluator.crf is None
    assert tests['multi_scale'].test_evaluator.crf == {'num_iter': 3}


def test_the_second_test_leaves_the_files_of_the_first():
    tests = two_tests(config(experiment_name='mine'), show_dir='pictures')
    for name, test in tests.items():
        assert test.work_dir == f'work/test/{name}'
        assert test.experiment_name == f'mine_{name}'
        assert test.visualizer.name == f'eye_{name}'
        assert test.visualizer.save_dir == f'pictures/{name}'
        assert test.test_evaluator[1].out_file == f'a/scores_{name}.json'
        assert test.test_evaluator[1].output_dir == f'masks/{name}'


def test_rows_have_the_same_names():
    rows = score_rows(two_tests(config()), METRICS)
    assert {name: (row.scales, row.flip, row.crf) for name, row in rows.items()} == {
        'raw': ((1.0,), False, False),
        'multi-scale': ((1.0, 1.5), True, False),
        'multi-scale + CRF': ((1.0, 1.5), True, True),
    }
    assert rows['raw'].metrics == METRICS['raw']
    assert rows['multi-scale'].metrics == {'mIoU': 60.0, 'group/crf/mIoU': 59.0}
    refined = rows['multi-scale + CRF'].as_json()
    assert refined['metrics'] == {'mIoU': 70, 'boundary_mIoU': None, 'group/crf/mIoU': 69}
    assert refined['crf'] is True


def test_a_prefix_is_not_part_of_the_names():
    tests = two_tests(config(test_evaluator={'type': 'WSSSMetric', 'prefix': 'own'}))
    metrics = {
        name: {'mIoU': 1.0, **{f'own/{key}': value for key, value in values.items()}}
        for name, values in METRICS.items()
    }
    rows = score_rows(tests, metrics)
    assert [row.metrics['mIoU'] for row in rows.values()] == [50, 60, 70]


def test_the_table_has_a_row_for_each():
    rows = score_rows(two_tests(config()), METRICS)
    lines = [line.split('|')[1:-1] for line in score_table(rows).splitlines() if '|' in line]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ['Scores', 'Scales', 'Flip', 'CRF', 'mIoU', 'boundary mIoU'],
        ['raw', '1', 'no', 'no', '50.00', '-'],
        ['multi-scale', '1, 1.5', 'yes', 'no', '60.00', '-'],
        ['multi-scale + CRF', '1, 1.5', 'yes', 'yes', '70.00', '-'],
    ]


@pytest.mark.parametrize(
    ('changes', 'pattern'),
    [
        ({'model': {'type': 'WeakSegmentor', 'backbone': {}}}, 'expected a decode head'),
        ({'test_evaluator': {'type': 'IoUMetric'}}, 'WSSSMetric that scores'),
        (
            {'test_evaluator': {'type': 'WSSSMetric', 'format_only': True, 'output_dir': 'a'}},
            'WSSSMetric that scores',
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(changes, pattern):
    with pytest.raises(ValueError, match=pattern):
        two_tests(config(**changes))
