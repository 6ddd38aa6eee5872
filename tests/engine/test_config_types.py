import pytest

from wsss_plugin.engine.config_types import type_name
from wsss_plugin.evaluation import WSSSMetric


@pytest.mark.parametrize(
    'kind', ['WSSSMetric', 'mmseg.WSSSMetric', 'wsss_plugin.evaluation.WSSSMetric', WSSSMetric]
)
def test_names_and_classes_have_one_name(kind):
    assert type_name({'type': kind}) == 'WSSSMetric'


def test_a_part_without_a_type_has_no_name():
    assert type_name({}) == type_name({'type': None}) == ''
