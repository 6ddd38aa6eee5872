"""Scores as files: 8 bits that keep the largest score, and folders of other kinds."""

from __future__ import annotations

import numpy as np
import pytest

from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.datasets.score_folder import (
    ALPHA_SCORES,
    CAM_SCORES,
    ScoreFolder,
    to_bytes,
    write_scores,
)
from wsss_plugin.errors import DataError


@pytest.mark.parametrize('spread', [1.0, 0.01])
def test_the_largest_score_stays_the_largest(spread):
    """Also where all are nearly equal, and at 1."""
    scores = 1 - spread * np.random.default_rng(0).random((4, 50, 60))
    stored = to_bytes(scores)
    assert stored.dtype == np.uint8
    assert (stored.argmax(axis=0) == scores.argmax(axis=0)).all()
    assert np.abs(stored / 255 - scores).max() <= 1.51 / 255
    plain = np.rint(scores * 255)
    changed = (plain != stored).any(axis=0).mean()
    assert (changed > 0.1) == (spread < 1)


def test_labels_of_8_bits_are_those_of_floats(tmp_path):
    random = np.random.default_rng(1)
    low, high = (random.dirichlet((0.3,) * 3, (100, 100)).transpose(2, 0, 1) for _ in range(2))
    arrays = dict(values=np.array([2, 7], np.int16), low=to_bytes(low), high=to_bytes(high))
    write_scores(tmp_path / 'sub' / 'a.npz', **arrays)
    content = dict(classes=['background', 'x'], images=['sub/a'], ignore=255)
    LabelManifest.write(tmp_path, content, ALPHA_SCORES)
    label = ScoreFolder(tmp_path, ALPHA_SCORES).label('sub/a', ignore_index=254)
    by_low, by_high = low.argmax(axis=0), high.argmax(axis=0)
    expected = np.where(by_high == 0, 0, np.where(by_low == 0, 254, np.array([0, 2, 7])[by_low]))
    assert (label == expected).mean() >= 0.999
    assert set(np.unique(label).tolist()) == {0, 2, 7, 254}


def test_a_folder_is_of_one_kind(tmp_path):
    content = dict(classes=['background', 'x'], images=[], ignore=255)
    LabelManifest.write(tmp_path, content, CAM_SCORES)
    with pytest.raises(DataError, match="'corrected masks', received 'CAM scores'"):
        LabelManifest.read(tmp_path)
    with pytest.raises(DataError, match="'kind' to be 'alpha scores', received 'CAM scores'"):
        ScoreFolder(tmp_path, ALPHA_SCORES)
    folder = ScoreFolder(tmp_path)
    assert folder.manifest_file.is_file()
    with pytest.raises(DataError, match='received none for 1'):
        folder.require(('background', 'x'), ['a'], 'the images')
    with pytest.raises(DataError, match=r'a\.npz: expected scores named'):
        folder.cams('a')


class _Code:
    def __reduce__(self):
        return pytest.fail, ('content of a file was run',)


def test_nothing_in_a_file_is_run(tmp_path):
    LabelManifest.write(tmp_path, dict(classes=['a', 'b'], images=['a'], ignore=255), CAM_SCORES)
    objects = np.array([_Code()], dtype=object)
    np.savez(tmp_path / 'a.npz', values=objects, cams=objects)
    with pytest.raises(DataError, match=r'a\.npz: expected scores .* of another kind'):
        ScoreFolder(tmp_path).cams('a')
