from __future__ import annotations

import json

import pytest

from wsss_plugin.datasets.groups import Groups
from wsss_plugin.errors import DataError


@pytest.fixture
def read(tmp_path, write_image):
    for name in ('a.jpg', 'sub/b.PNG', 'other_split.jpg'):
        write_image(tmp_path / 'images' / name)
    samples = [
        {'name': 'a', 'img_path': str(tmp_path / 'images/a.jpg')},
        {'name': 'sub/b', 'img_path': str(tmp_path / 'images/sub/b.PNG')},
    ]

    def run(content):
        (tmp_path / 'g.json').write_text(json.dumps(content))
        return Groups(tmp_path / 'g.json', tmp_path / 'images').of(samples)

    return run


@pytest.mark.parametrize('name', ['sub/b', 'sub/b.PNG'])
def test_names_with_and_without_suffix(read, name):
    assert read({name: ['hard', 'small'], 'a': []}) == [(), ('hard', 'small')]


def test_images_of_other_splits_may_be_there(read):
    assert read({'other_split': ['hard']}) == [(), ()]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'a': 'hard'}, "for image a, received 'hard'; write a list"),
        ({'a': None}, 'for image a, received None'),
        ({'a': [1]}, r'for image a, received \[1\]'),
        ({'a': [['hard']]}, r"for image a, received \[\['hard'\]\]"),
        ({'a': {'hard': 1}}, 'for image a, received'),
        ({'zzz': ['hard']}, "received 'zzz', which is none; correct the name"),
        ({'../images/a': ['hard']}, "entry '../images/a': .*lead elsewhere"),
        ({'a/' * 3000: []}, 'which is none'),
        ({'a': [], 'a.jpg': []}, r'one entry per image, received a and a\.jpg'),
        (['a'], 'expected an object of image names'),
    ],
)
def test_errors_name_the_entry(read, content, message):
    with pytest.raises(DataError, match=rf'g\.json: .*{message}'):
        read(content)
