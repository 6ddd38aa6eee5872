import pytest
from mmseg.registry import METRICS

from wsss_plugin.engine.config_types import is_kind, type_name
from wsss_plugin.evaluation import WSSSMetric


@pytest.mark.parametrize(
    'kind', ['WSSSMetric', 'mmseg.WSSSMetric', 'wsss_plugin.evaluation.WSSSMetric', WSSSMetric]
)
def test_names_and_classes_have_one_name(kind):
    assert type_name({'type': kind}) == 'WSSSMetric'


def test_a_part_without_a_type_has_no_name():
    assert type_name({}) == type_name({'type': None}) == ''


class _Subclass(WSSSMetric):
    pass


@pytest.mark.parametrize(
    'kind',
    ['WSSSMetric', 'mmseg.WSSSMetric', 'wsss_plugin.evaluation.WSSSMetric', WSSSMetric, _Subclass],
)
def test_a_class_and_its_subclasses_are_of_its_kind(kind):
    assert is_kind({'type': kind}, 'WSSSMetric', METRICS)


@pytest.mark.parametrize('part', [{}, {'type': None}, {'type': 'Unknown'}, {'type': 'IoUMetric'}])
def test_others_are_not(part):
    assert not is_kind(part, 'WSSSMetric', METRICS)
