from __future__ import annotations

import pytest

from wsss_plugin.ops import CAMFusion


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'flip': 'mean'}, r"multi_scale\.flip: expected one of .*'max'.* received 'mean'"),
        ({'resize': 'nearest'}, r'multi_scale\.resize: expected'),
        ({'rounding': 'up'}, r'multi_scale\.rounding: expected'),
        ({'relu': 'first'}, r'multi_scale\.relu: expected'),
        ({'over_scales': None}, r'multi_scale\.over_scales: expected'),
        ({'normalise': 'softmax'}, r'multi_scale\.normalise: expected'),
        ({'flip': ['max']}, r'multi_scale\.flip: expected'),
        ({'eps': 0}, r'multi_scale\.eps: expected a positive number'),
        ({'eps': True}, r'multi_scale\.eps: expected a positive number'),
        ({'eps': '1e-5'}, r'multi_scale\.eps: expected a positive number'),
        ({'eps': float('nan')}, r'multi_scale\.eps: expected a positive number'),
        ({'multiple': 0}, r'multi_scale\.multiple: expected an integer'),
        ({'multiple': 1.5}, r'multi_scale\.multiple: expected an integer'),
    ],
)
def test_errors_name_the_config_key(options, message):
    with pytest.raises(ValueError, match=message):
        CAMFusion(**options)
    with pytest.raises(ValueError, match=message.replace('multi_scale', 'cams.final.multi_scale')):
        CAMFusion().replaced(options, key='cams.final.multi_scale')


def test_unknown_key_names_the_known_ones():
    with pytest.raises(ValueError, match=r"cams\.aux\.multi_scale\.scales: .*'resize'.*'multiple'"):
        CAMFusion().replaced({'scales': (1.0,)}, key='cams.aux.multi_scale')


def test_replaced_keeps_the_rest():
    base = CAMFusion(flip='sum', eps=1e-8)
    assert base.replaced({'normalise': 'max'}) == CAMFusion(flip='sum', eps=1e-8, normalise='max')
    assert base.replaced({}) == base


@pytest.mark.parametrize(
    ('rounding', 'size', 'scale', 'expected'),
    [
        ('down', (58, 75), 1.2, (69, 90)),
        # The sizes of WeakTr's passes, and halves to the even number.
        ('nearest', (58, 75), 1.2, (70, 90)),
        ('nearest', (58, 75), 0.8, (46, 60)),
        ('nearest', (75, 101), 0.5, (38, 50)),
        ('down', (3, 1), 0.25, (1, 1)),
        ('nearest', (3, 1), 0.25, (1, 1)),
    ],
)
def test_scaled_size(rounding, size, scale, expected):
    assert CAMFusion(rounding=rounding).scaled_size(size, scale) == expected


def test_a_side_below_the_smallest_is_enlarged():
    assert CAMFusion().scaled_size((20, 400), 0.5, min_size=16) == (16, 200)
