from __future__ import annotations

import pytest

from wsss_plugin.datasets.file_names import LinkGuard, relative_name
from wsss_plugin.errors import DataError


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('a.jpg', 'a.jpg'),
        ('./b/./a', 'b/a'),
        ('b\\a', 'b/a'),
        ('..a/b..', '..a/b..'),
        ('k\xa0', 'k\xa0'),
    ],
)
def test_names_below_a_folder(name, expected):
    assert relative_name(name, 't') == expected


@pytest.mark.parametrize(
    'name', ['../a', 'b/../../a', '/a', '//a/b', 'C:\\a', 'c:a', '\\\\server\\share\\a', '..\\a']
)
def test_names_that_lead_elsewhere(name):
    with pytest.raises(DataError, match=r't: line 1: .*which may lead elsewhere; remove'):
        relative_name(name, 't: line 1')


@pytest.mark.parametrize('name', ['', '.', 'a\nb', 'a\0b', '\ud800', 'x' * 256, 'ü' * 200])
def test_names_that_no_file_has(name):
    with pytest.raises(DataError, match=r't: line 1: .*which no file can have'):
        relative_name(name, 't: line 1')


@pytest.fixture
def folders(tmp_path):
    (tmp_path / 'data/images').mkdir(parents=True)
    (tmp_path / 'data-other').mkdir()
    (tmp_path / 'link').symlink_to(tmp_path / 'data')
    for name in ('data/images/a.jpg', 'data/b.jpg', 'data-other/c.jpg'):
        (tmp_path / name).touch()
    return tmp_path


def test_links_may_stay_inside(folders):
    guard = LinkGuard([folders / 'link'])
    (folders / 'data/images/inner.jpg').symlink_to(folders / 'data/b.jpg')
    for name in ('a.jpg', 'inner.jpg', 'not/there.jpg'):
        guard.check(folders / 'link/images' / name, 't')


def test_links_may_not_leave(folders):
    guard = LinkGuard([folders / 'link'])
    (folders / 'data/images/out.jpg').symlink_to(folders / 'data-other/c.jpg')
    (folders / 'data/images/sub').symlink_to(folders / 'data-other')
    (folders / 'data/images/dangling.jpg').symlink_to('/nowhere/a.jpg')
    for name in (
        'out.jpg',
        'sub/c.jpg',
        'sub/not_yet.png',
        'dangling.jpg',
        '../../data-other/c.jpg',
    ):
        with pytest.raises(DataError, match=r't: line 2: .*a link to .*allow_outside=True'):
            guard.check(folders / 'link/images' / name, 't: line 2')
