from __future__ import annotations

import pytest

from wsss_plugin.datasets.label_folders import LabelFolders
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.errors import ConfigError, DataError, MissingFileError


def _write(folder, images):
    LabelManifest.write(folder, dict(classes=['background', 'cat'], images=images, ignore=255))
    return str(folder)


def _of(folders, names):
    found = folders.of(names, 'train.txt')
    return [(manifest.folder.name, weight) for manifest, weight in found]


def test_one_folder(tmp_path):
    folder = _write(tmp_path / 'labels', ['a', 'b'])
    for given in (folder, tmp_path / 'labels', [folder], dict(folder=folder)):
        assert _of(LabelFolders(given), ['b', 'a']) == [('labels', 1), ('labels', 1)]


def test_several_folders_by_rank(tmp_path):
    first = dict(folder=_write(tmp_path / 'first', ['b', 'other']), weight=2.5)
    second = _write(tmp_path / 'second', ['a', 'b'])
    third = dict(folder=_write(tmp_path / 'third', ['b', 'c']), weight=0)
    found = _of(LabelFolders([first, second, third]), ['a', 'b', 'c'])
    assert found == [('second', 1), ('first', 2.5), ('third', 0)]
    assert _of(LabelFolders((second, first, third)), ['b']) == [('second', 1)]


def test_images_without_a_label(tmp_path):
    folders = LabelFolders([_write(tmp_path / 'x', ['a']), _write(tmp_path / 'y', ['b'])])
    message = r'x, .*y: expected a label for each of the 4 images of train\.txt, .* 2, .* c, d;'
    with pytest.raises(DataError, match=message):
        folders.of(['a', 'c', 'b', 'd'], 'train.txt')


def test_classes_of_every_folder(tmp_path):
    folders = LabelFolders([_write(tmp_path / 'x', ['a']), _write(tmp_path / 'y', ['b'])])
    folders.require_classes(['background', 'cat'])
    LabelManifest.write(tmp_path / 'y', dict(classes=['background'], images=[], ignore=255))
    folders = LabelFolders([tmp_path / 'x', tmp_path / 'y'])
    with pytest.raises(DataError, match='y: expected labels of the classes'):
        folders.require_classes(['background', 'cat'])


def test_a_folder_without_manifest(tmp_path):
    with pytest.raises(MissingFileError, match='nowhere: expected a folder of pseudo labels'):
        LabelFolders([_write(tmp_path / 'x', ['a']), str(tmp_path / 'nowhere')])


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ([], 'expected one folder or several different ones, received none'),
        (['x', './x'], 'received x more than once'),
        (3, "expected paths, or dict.folder='...', weight=1.0., received 3"),
        ([dict(weight=1)], "received {'weight': 1}"),
        (dict(folder='x', factor=2), "received {'factor': 2, 'folder': 'x'}"),
        (dict(folder='x', weight=-1), 'of at least 0 as the weight of x, received -1'),
        (dict(folder='x', weight=float('nan')), 'weight of x, received nan'),
        (dict(folder='x', weight=float('inf')), 'weight of x, received inf'),
        (dict(folder='x', weight=True), 'weight of x, received True'),
        (dict(folder='x', weight='2'), "weight of x, received '2'"),
        (dict(folder='x', weight=0), 'expected a folder whose weight is above 0'),
    ],
)
def test_what_cannot_be_used(given, message):
    with pytest.raises(ConfigError, match=f'label_dir: .*{message}'):
        LabelFolders(given)
