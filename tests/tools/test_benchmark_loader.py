from __future__ import annotations

import re

import pytest


@pytest.fixture
def module(tool):
    return tool('benchmark_loader')


def test_tables(module, tmp_path):
    out = tmp_path / 'loader.md'
    module.main(['--repeats', '1', '--image', '60', '40', '--out', str(out)])
    text = out.read_text()
    rows = dict(re.findall(r'^\| ([^|]+) \| ([\d.e-]+) \|$', text, re.MULTILINE))
    steps = ['LoadImageOrRaise', 'RandomScaleCropWithBox', 'MultiCropViews', 'PackWSSSInputs']
    assert list(rows) == [*steps, '**image**']
    total = float(rows.pop('**image**'))
    assert total == pytest.approx(sum(map(float, rows.values())), rel=0.05)
    assert re.search(r'\| flip \| [\d.e-]+ \| [\d.e-]+ \| 0 \|', text)
    blurred = re.search(r'\| blur, radius 1 \|.*\| (\d+) \|', text)
    assert int(blurred[1]) > 0


def test_the_picture_is_the_same_each_time(module):
    first, second = (module.photograph(30, 20) for _ in range(2))
    assert first.size == (30, 20)
    assert first.tobytes() == second.tobytes()
    assert len(set(first.tobytes())) > 100


def test_a_pipeline_without_transforms(module):
    with pytest.raises(ValueError, match='pipeline'):
        module.transform_table([], module.photograph(4, 4), 1)
