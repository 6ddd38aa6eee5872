import pytest
from mmengine.registry import init_default_scope

from wsss_plugin.models.cams import CAMHead
from wsss_plugin.models.registered_class import registered_class


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmseg')


def test_by_name_and_by_class():
    assert registered_class(dict(type='CAMHead', in_channels=3)) is CAMHead
    assert registered_class(dict(type=CAMHead)) is CAMHead


@pytest.mark.parametrize('config', [dict(type='CamHead'), {}])
def test_an_unknown_name(config):
    with pytest.raises(KeyError, match=r'registered model as type.*custom_imports'):
        registered_class(config)
