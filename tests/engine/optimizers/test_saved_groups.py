import pytest

from wsss_plugin.engine.optimizers.saved_groups import order_as_saved


def _groups(*names, **options):
    return [
        {'params': [f'<{n}>' for n in part], 'param_names': [*part], **options} for part in names
    ]


def test_takes_the_order_of_groups_and_parameters_from_the_state():
    groups = _groups('ab', 'cde', lr=0.1)
    saved = [
        {'params': [0, 1, 2], 'param_names': [*'ecd']},
        {'params': [3, 4], 'param_names': [*'ba']},
    ]
    ordered = order_as_saved('vit', groups, saved)
    assert ordered == _groups('ecd', 'ba', lr=0.1)
    assert groups == _groups('ab', 'cde', lr=0.1)


def test_groups_without_names_keep_their_order():
    groups = [{'params': ['<b>']}, {'params': ['<a>']}]
    assert order_as_saved('vit', groups, [{'params': [0]}, {'params': [1]}]) == groups


@pytest.mark.parametrize(
    ('groups', 'saved', 'message'),
    [
        (_groups('ab'), [{'params': [0, 1]}], r"'vit'.*version 0\.1.*load_from and start anew"),
        ([{'params': ['<a>']}], _groups('a'), 'named_parameters'),
        (_groups('abc'), _groups('bx'), r'without a, c and with x.*start anew'),
        (_groups('ab'), _groups('abcdefgh'), r'without none and with c, d, e, f, g and 1 more'),
        (_groups('ab', 'c'), _groups('abc'), r'others for a, b, c; resume with .*paramwise_cfg'),
        (_groups('abc'), _groups('ab', 'c'), r'others for a, b; resume with'),
    ],
)
def test_refuses_what_does_not_fit(groups, saved, message):
    with pytest.raises(ValueError, match=message):
        order_as_saved('vit', groups, saved)
