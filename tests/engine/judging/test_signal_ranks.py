"""Rank correlations against SciPy's definition, and files that say nothing."""

import json
import re
from pathlib import Path

import pytest

from wsss_plugin.engine.judging import (
    ENOUGH,
    RECOMMENDED,
    SIGNALS,
    rank_correlations,
    read_judgements,
    true_miou,
)
from wsss_plugin.errors import DataError, MissingFileError


def _run(miou, **signals):
    return dict(signals=signals, masks=dict(segmentation=dict(mIoU=miou)))


def test_ranks_by_hand():
    runs = [
        _run(10, tag_f1=1, flip_agreement=9, full_frame=5, all_background=3),
        _run(20, tag_f1=2, flip_agreement=8, full_frame=5, undecided=3, all_background=2),
        _run(30, tag_f1=4, flip_agreement=7, full_frame=5, undecided=4, all_background=1),
        _run(40, tag_f1=3, flip_agreement=6, full_frame=5),
    ]
    found = rank_correlations(runs)
    assert found['tag_f1'] == (0.8, 4)  # 1 - 6 * 2 / (4 * 15)
    assert found['flip_agreement'] == (-1, 4)
    assert found['full_frame'] == (None, 4)
    assert found['all_background'] == (1, 3)  # less of it is better
    assert found['undecided'] == (None, 2)
    assert found['source_agreement'] == (None, 0)


def test_reads_files_and_folders(tmp_path):
    whole = _run(12.5, tag_f1=1)
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / 'judgement.json').write_text(json.dumps(whole))
    (tmp_path / 'b.json').write_text(json.dumps(dict(whole, masks=None)))
    assert read_judgements([tmp_path / 'a', tmp_path / 'a' / 'judgement.json']) == [whole] * 2
    assert true_miou(whole) == 12.5
    assert true_miou(dict(masks=dict(restricted=dict(mIoU=3)))) == 3
    with pytest.raises(DataError, match=r'b\.json: expected scores of masks'):
        read_judgements([tmp_path / 'b.json'])
    with pytest.raises(MissingFileError, match='judge the run'):
        read_judgements([tmp_path])


def test_what_is_recommended_is_what_the_page_has_measured():
    page = Path(__file__).parents[3] / 'docs' / 'judging.md'
    rows = re.findall(
        r'^\| `(\w+)` \| (\S+) \| (\S+) \| (\S+) \| (yes|no) \|$',
        page.read_text(encoding='utf-8'),
        flags=re.M,
    )
    assert [name for name, *_ in rows] == list(SIGNALS)
    for name, *values, recommended in rows:
        measured = [float(value) for value in values if value != '-']
        enough = bool(measured) and min(measured) >= ENOUGH
        assert (recommended == 'yes') == enough == (name in RECOMMENDED), name
