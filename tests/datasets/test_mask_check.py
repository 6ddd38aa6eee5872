from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets.mask_check import TaggedMask, check_masks
from wsss_plugin.errors import DamagedFileError, DataError, MissingFileError

_NAMES = ('background', 'cat', 'dog')


@pytest.fixture
def save(tmp_path):
    """Writes masks whose upper half is one value, all but the first of which are right."""

    def run(number=10, wrong=0, suffix='.png', **options):
        masks = []
        for index in range(number):
            mask = np.zeros((16, 16), np.uint8)
            mask[:8] = 1 + index % 2
            tags = [_NAMES[1 + (index + (index < wrong)) % 2]]
            path = tmp_path / f'{index}{suffix}'
            Image.fromarray(mask).save(path, **options)
            masks.append(TaggedMask(str(path), tags))
        return masks

    return run


def _check(masks, names=_NAMES, classes=_NAMES):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        check_masks(masks, names, classes, 'val.txt')
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(('wrong', 'warns'), [(0, False), (1, False), (2, True), (10, True)])
def test_warns_where_many_masks_contradict_the_tags(save, wrong, warns):
    messages = _check(save(wrong=wrong))
    assert bool(messages) == warns
    if warns:
        assert f'received {wrong} of 10' in messages[0]
        assert '0.png shows cat, the tags say dog' in messages[0]
        assert '0 background, 1 cat, 2 dog' in messages[0]
        assert 'val.txt: ' in messages[0]
        assert 'mask_classes' in messages[0]


def test_names_of_values_and_classes_that_are_left_out(save):
    masks = save()
    # Dogs are 1 and cats are 2 now, of which only cats are asked for.
    turned = [TaggedMask(path, ['cat'] if tags == ['dog'] else []) for path, tags in masks]
    assert not _check(turned, ('background', 'dog', 'cat'), ('background', 'cat'))


def test_images_without_known_tags_are_not_compared(save):
    assert not _check([TaggedMask(mask.path, None) for mask in save()])


def test_nothing_to_check():
    assert not _check([])


def test_masks_of_0_and_255(save):
    masks = save(number=4)
    for mask in masks:
        Image.fromarray(np.array([[0, 255]], np.uint8)).save(mask.path)
    assert 'shows background, the tags say cat' in _check(masks)[0]


def test_quantised_palettes(save):
    masks = save()
    for path, _ in masks:
        image = Image.open(path)
        image.putpalette([0, 0, 0, 0, 128, 0, 128, 0, 0])
        image.convert('RGB').quantize(8).save(path)
    (message,) = _check(masks)
    assert 'received 5 of 10 that do not' in message


def test_a_value_in_several_colours(save):
    """What an editor's indexed colours leave where the sets of classes happen to agree."""
    masks = save()
    for index, (path, _) in enumerate(masks):
        image = Image.open(path).convert('P')
        image.putpalette([0, 0, 0, *([9, 9, 9, 7, 7, 7] if index else [7, 7, 7, 9, 9, 9])])
        image.save(path)
    (message,) = _check(masks)
    assert '2.png gives 1 the colour (9, 9, 9), ' in message


@pytest.mark.parametrize('kind', ['JPEG', 'WEBP'])
@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_formats_that_change_values_whatever_the_name(save, kind, suffix):
    with pytest.raises(DataError, match=rf'0\{suffix}: .*(the format {kind}|3 channels)'):
        _check(save(suffix=suffix, format=kind))


def test_values_without_a_name(save):
    with pytest.raises(
        DataError, match=r'1\.png: expected values from 0 to 1 .*received 2; .*mask_c'
    ):
        _check(save(), ('background', 'cat'), ('background', 'cat'))


def test_damaged_and_missing(save):
    masks = save()
    with open(masks[3].path, 'r+b') as file:
        file.truncate(40)
    with pytest.raises(DamagedFileError, match=r'3\.png'):
        _check(masks)
    with pytest.raises(MissingFileError, match=r'nowhere\.png'):
        _check([TaggedMask('nowhere.png', None)])


def test_only_some_are_opened(save, monkeypatch):
    from wsss_plugin.datasets import mask_check

    opened = []
    monkeypatch.setattr(mask_check, 'require_readable_mask', opened.append)
    check_masks(save(number=50), _NAMES, _NAMES, 'val.txt', number=5)
    assert [path.rsplit('/', 1)[1] for path in opened] == [
        '0.png',
        '12.png',
        '24.png',
        '36.png',
        '49.png',
    ]
