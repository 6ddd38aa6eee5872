from __future__ import annotations

import pytest

from wsss_plugin.datasets.file_names import LinkGuard
from wsss_plugin.datasets.sample_files import require_different_files, require_files_inside
from wsss_plugin.errors import DataError

SAMPLES = [
    dict(name='a', img_path='a.jpg', seg_map_path='a.png', source='t.csv'),
    dict(name='b', entry='line 7', img_path='b.jpg', seg_map_path='a.png', source='t.csv'),
    dict(name='c', img_path='c.jpg', source='t.csv'),
]


def test_only_the_files_that_are_opened_count():
    require_different_files(SAMPLES, ('img_path',), 't.csv')
    message = r't\.csv: expected one entry for every mask, received a\.png for image a and line 7;'
    with pytest.raises(DataError, match=message):
        require_different_files(SAMPLES, ('img_path', 'seg_map_path'), 't.csv')
    same = [SAMPLES[2], {**SAMPLES[2], 'name': 'd'}]
    with pytest.raises(DataError, match=r'for every image, received c\.jpg for image c and image'):
        require_different_files(same, ('img_path',), 't.csv')


@pytest.mark.parametrize('key', ['img_path', 'source'])
def test_links_lead_nowhere_else(tmp_path, key):
    inside, outside = tmp_path / 'set', tmp_path / 'other'
    for folder in (inside, outside):
        folder.mkdir()
    (outside / 'a').touch()
    (inside / 'a').symlink_to(outside / 'a')
    sample = {'name': 'a', 'img_path': str(inside / 'x'), 'source': 'list', key: str(inside / 'a')}
    guard = LinkGuard([inside])
    with pytest.raises(DataError, match=r'list: image a: .*a link to'):
        require_files_inside([sample], ('img_path',), 'list', guard)
    require_files_inside([{**sample, key: str(inside / 'y')}], ('img_path',), 'list', guard)
    # The list itself is where the user says.
    listed = {**sample, 'img_path': str(inside / 'x'), 'source': str(inside / 'a')}
    require_files_inside([listed], ('img_path',), str(inside / 'a'), guard)
