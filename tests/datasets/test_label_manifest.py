from __future__ import annotations

import json

import pytest

from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.errors import DataError, MissingFileError

CONTENT = dict(classes=['background', 'cat'], images=['a', 'garden/b'], ignore=255)


@pytest.fixture
def manifest(tmp_path):
    LabelManifest.write(tmp_path, dict(CONTENT, version='0.2.0'))
    return LabelManifest.read(tmp_path)


def test_what_was_written_is_read(manifest, tmp_path):
    assert manifest.classes == ('background', 'cat')
    assert manifest.images == ('a', 'garden/b')
    assert manifest.ignore == 255
    assert manifest.content['version'] == '0.2.0'
    assert manifest.kind == 'pseudo labels'
    assert manifest.path('garden/b') == tmp_path / 'garden' / 'b.png'


def test_a_folder_without_manifest(tmp_path):
    with pytest.raises(
        MissingFileError,
        match=r'expected a folder of pseudo labels or .* found none',
    ):
        LabelManifest.read(tmp_path / 'SegmentationClass')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(kind='masks'), "'kind' to be 'pseudo labels' or 'corrected masks', received 'masks'"),
        (dict(classes='cat'), "list of names as 'classes', received 'cat'"),
        (dict(images=[1]), r"list of names as 'images', received \[1\]"),
        (dict(ignore='255'), "whole number as 'ignore', received '255'"),
    ],
)
def test_a_manifest_that_is_not_understood(tmp_path, change, message):
    content = {'kind': 'pseudo labels', **CONTENT, **change}
    (tmp_path / 'manifest.json').write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        LabelManifest.read(tmp_path)


def test_a_list_is_no_manifest(tmp_path):
    (tmp_path / 'manifest.json').write_text('[]')
    with pytest.raises(DataError, match=r'received \[\]; make the folder by tools/export_labels'):
        LabelManifest.read(tmp_path)


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (('background', 'dog'), "value 1 for 'cat' in place of 'dog'"),
        (('background', 'cat', 'dog'), "value 2 for None in place of 'dog'"),
        (('background',), "value 1 for 'cat' in place of None"),
    ],
)
def test_other_classes(manifest, classes, message):
    manifest.require_classes(['background', 'cat'])
    with pytest.raises(DataError, match=message):
        manifest.require_classes(classes)


def test_masks_of_people_say_so(tmp_path):
    LabelManifest.write(tmp_path, dict(CONTENT, kind='corrected masks'))
    assert LabelManifest.read(tmp_path).kind == 'corrected masks'


def test_other_kinds_only_where_they_are_asked_for(tmp_path):
    LabelManifest.write(tmp_path, dict(CONTENT, kind='scores'))
    assert LabelManifest.read(tmp_path, 'scores').kind == 'scores'
    with pytest.raises(DataError, match="'pseudo labels' or 'corrected masks', received 'scores'"):
        LabelManifest.read(tmp_path)


def test_images_without_a_label(manifest):
    manifest.require_images(['garden/b'], 'train.txt')
    with pytest.raises(DataError, match=r'3 images of train\.txt, received none for 2, .* c, b;'):
        manifest.require_images(['a', 'c', 'b'], 'train.txt')
