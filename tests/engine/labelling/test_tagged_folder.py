import json

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.engine.labelling import TaggedFolder
from wsss_plugin.errors import DamagedFileError, DataError, MissingFileError


def _read(folder, **options):
    return TaggedFolder(folder / 'pictures', folder / 'words' / 'tags.json', **options)


def test_images_tags_and_what_is_held_out(folder):
    found = _read(folder)
    assert (len(found), found.classes) == (40, ('background', 'cat', 'dog'))
    assert (found.root, found.side()) == (folder, 30)
    assert found.names[1:3] == ['02.png', '04.png']
    assert found.tags_of[found.names.index('more/01.png')].tolist() == [1, 1]
    trained, held = found.held_out()
    assert (len(trained), len(held)) == (36, 4)
    assert sorted(trained + held) == sorted(json.loads((folder / 'words/tags.json').read_text()))
    assert found.held_out() == (trained, held)


def test_images_with_masks_are_held_out(folder):
    masks = folder / 'masks'
    (masks / 'more').mkdir(parents=True)
    for number in range(40):
        name = f'more/{number:02}.png' if number % 2 else f'{number:02}.png'
        Image.fromarray(np.zeros((20, 30), np.uint8)).save(masks / name)
    trained, held = _read(folder).held_out(masks)
    assert (len(trained), len(held)) == (9, 31)
    (masks / 'more' / '39.png').unlink()
    for number in range(0, 20, 2):
        (masks / f'{number:02}.png').unlink()
    with pytest.raises(DataError, match=r'masks <name>\.png of 30 images or more, received 29'):
        _read(folder).held_out(masks)


def test_own_order_of_classes_and_a_list(folder):
    (folder / 'some.txt').write_text('more/01\nmore/03\n')
    found = _read(folder, classes=['dog', 'cat', 'cow'], list_file=folder / 'some.txt')
    assert found.classes == ('background', 'dog', 'cat', 'cow')
    assert found.names == ['more/01.png', 'more/03.png']
    assert found.tags_of.tolist() == [[1, 1, 0], [1, 1, 0]]
    assert found.held_out() == ([], [])


def test_images_that_a_list_cannot_name_are_all_trained_on(folder):
    tags = json.loads((folder / 'words' / 'tags.json').read_text())
    tags.pop('02')
    (folder / 'words' / 'tags.json').write_text(json.dumps(tags))
    with pytest.raises(DataError, match='received none for 1, among them 02'):
        _read(folder)
    assert len(_read(folder, unlisted='ignore').held_out()[1]) == 4
    found = _read(folder, unlisted='background')
    assert (len(found), found.held_out()) == (40, ([], []))


def test_sizes_of_images_that_can_be_read(folder):
    for number in range(0, 40, 2):
        (folder / 'pictures' / f'{number:02}.png').write_bytes(b'no image')
    assert _read(folder).side() == 30
    for number in range(1, 40, 2):
        (folder / 'pictures' / 'more' / f'{number:02}.png').write_bytes(b'')
    with pytest.raises(DamagedFileError, match=r'none that was opened can be read, among them 00'):
        _read(folder).side()


def test_refuses_what_is_not_there(folder):
    with pytest.raises(MissingFileError, match='--masks: expected a folder'):
        _read(folder).held_out(folder / 'no masks')
    with pytest.raises(MissingFileError, match='--images: expected a folder'):
        TaggedFolder(folder / 'photos', folder / 'words' / 'tags.json')
    with pytest.raises(MissingFileError, match='--tags: expected a file of tags'):
        TaggedFolder(folder / 'pictures', folder / 'words' / 'tags.csv')
    (folder / 'words' / 'tags.json').write_text('{}')
    with pytest.raises(DataError):
        _read(folder, unlisted='ignore')
