from __future__ import annotations

import pytest

from wsss_plugin.engine.checkpoint_classes import check_classes


def _checkpoint(*classes):
    return {'meta': {'dataset_meta': {'classes': classes}}}


def test_the_same_classes():
    check_classes(_checkpoint('background', 'cat'), {'classes': ['background', 'cat']}, 'data')


@pytest.mark.parametrize(
    ('given', 'difference'),
    [
        (('background', 'dog', 'cat'), "received background, dog, cat, 'dog' instead of 'cat' as"),
        (('background', 'cat'), '2 instead of 3 of them'),
        (('background', 'cat', 'Dog'), "'Dog' instead of 'dog' as number 2"),
    ],
)
def test_other_classes_are_named(given, difference):
    message = rf'classes in val_dataloader .*for, background, cat, dog, .*{difference}.*load_part'
    with pytest.raises(ValueError, match=message):
        check_classes(_checkpoint('background', 'cat', 'dog'), {'classes': given}, 'val_dataloader')


@pytest.mark.parametrize('checkpoint', [{}, {'meta': {}}, {'meta': {'dataset_meta': None}}])
def test_nothing_to_compare(checkpoint):
    check_classes(checkpoint, {'classes': ('a',)}, 'data')
    check_classes(_checkpoint('a'), None, 'data')
    check_classes(_checkpoint('a'), {}, 'data')


def test_long_lists_are_cut():
    classes = [f'class {index}' for index in range(500)]
    with pytest.raises(ValueError, match='500 instead of 501') as caught:
        check_classes(_checkpoint(*classes, 'x'), {'classes': classes}, 'data')
    assert len(str(caught.value)) < 900
