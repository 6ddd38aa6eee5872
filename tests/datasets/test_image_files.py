from __future__ import annotations

import re

import pytest

from wsss_plugin.datasets.image_files import find_images, why_not_found


@pytest.fixture
def folder(tmp_path, write_image):
    folder = tmp_path / '.hidden root' / 'images'
    for name in ('b.jpg', 'a.JPG', 'sub/c.png', '.ipynb_checkpoints/a-checkpoint.jpg', '._b.jpg'):
        write_image(folder / name.replace('JPG', 'jpg').replace('._', '_')).rename(
            _made(folder / name)
        )
    (folder / 'd.gif').touch()
    (folder / 'notes.txt').touch()
    return folder


def _made(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_hidden_files_and_folders_are_left_out(folder):
    assert list(find_images(folder)) == ['a.JPG', 'b.jpg', 'sub/c.png']


def test_a_folder_with_the_name_of_an_image_is_none(tmp_path):
    (tmp_path / 'a.jpg').mkdir()
    assert find_images(tmp_path) == {}


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('d.gif', r'found d\.gif, which is none of \.jpg'),
        ('d', r'found d\.gif, which is none of'),
        ('a.jpg', r'found a\.JPG, whose letters are others'),
        ('A', r'found a\.JPG, whose letters are others'),
        ('c.png', r'found sub/c\.png; write the name with its folders'),
        ('c', r'found sub/c\.png; write the name with its folders'),
        ('._b.jpg', r'\._b\.jpg is hidden'),
        ('e.jpg', 'found none; add the image or remove its entry'),
    ],
)
def test_the_real_reason_is_said(folder, name, reason):
    assert re.search(reason, why_not_found(folder, name))


@pytest.mark.parametrize('name', ['sub/Gr\u00fcn', 'sub/Gr\u00fcn.jpg'])
def test_accents_of_another_coding_are_told(folder, name):
    (folder / 'sub' / 'Gru\u0308n.jpg').touch()
    assert re.search(r'accents are coded otherwise \(Unicode NFD', why_not_found(folder, name))
