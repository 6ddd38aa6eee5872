import pytest
from mmseg.registry import MODELS
from torch import nn

from wsss_plugin.engine.optimizers import find_heads


def _segmentor(**parts):
    names = ('backbone', 'neck', 'auxiliary_head', 'decode_head')
    model = nn.ModuleDict({name: nn.Linear(1, 1) for name in names})
    model.update({name: nn.ModuleDict(part) for name, part in parts.items()})
    return model


def test_finds_heads_of_a_segmentor_whatever_their_names():
    model = _segmentor(
        cams={'brand_new': nn.Linear(1, 1)},
        heads={'affinity': nn.Linear(1, 1)},
        labels={},
        terms={},
    )
    assert find_heads(model) == ('decode_head', 'cams', 'heads', 'terms')


def test_finds_heads_inside_two_students_and_the_terms_of_both():
    students = {name: _segmentor(cams={}) for name in ('first', 'second')}
    students['second']['decode_head'] = None
    model = nn.ModuleDict({'students': nn.ModuleDict(students), 'terms': nn.ModuleDict()})
    expected = ('students.first.decode_head', 'students.first.cams', 'students.second.cams')
    assert set(find_heads(model)) == {'terms', *expected}
    wrapped = find_heads(nn.ModuleDict({'inner': model}))
    assert set(wrapped) == {'inner.terms', *(f'inner.{name}' for name in expected)}


def test_heads_of_a_network_inside_the_backbone_are_none():
    """Torchvision's transformer calls its classifier ``heads``."""
    model = _segmentor()
    model['backbone'] = nn.ModuleDict({'encoder': nn.Linear(1, 1), 'heads': nn.ModuleDict()})
    assert find_heads(model) == ('decode_head',)


@pytest.mark.parametrize('kind', ['EncoderDecoder', 'CascadeEncoderDecoder'])
def test_finds_the_decode_head_of_a_stock_segmentor(kind):
    options = {'channels': 2, 'num_classes': 2, 'num_convs': 1}
    head = {'type': 'FCNHead', 'in_channels': 512, 'in_index': 3, **options}
    several = kind == 'CascadeEncoderDecoder'
    model = MODELS.build(
        {
            'type': kind,
            'backbone': {'type': 'ResNet', 'depth': 18},
            'decode_head': [head, head] if several else head,
            'auxiliary_head': head,
            **({'num_stages': 2} if several else {}),
        }
    )
    assert find_heads(model) == ('decode_head',)


def test_a_model_without_a_backbone_has_its_heads_and_any_model_may_have_none():
    assert find_heads(nn.ModuleDict({'trunk': nn.Linear(1, 1), 'cams': nn.Linear(1, 1)})) == (
        'cams',
    )
    assert find_heads(nn.Linear(1, 1)) == ()
