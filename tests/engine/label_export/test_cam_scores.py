"""CAMs as scores, and labels of CAMs that are windowed or stored."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsss_plugin.datasets.score_folder import ScoreFolder
from wsss_plugin.engine.label_export import (
    CAMLabels,
    CAMScores,
    LabelFolder,
    ScoreFiles,
    StoredCAMs,
)
from wsss_plugin.errors import ConfigError, DataError
from wsss_plugin.evaluation.crf_labels import scores_of_alphas
from wsss_plugin.ops import cam_to_label
from wsss_plugin.ops.cam import average_cams

CLASSES = ('background', 'a', 'b', 'c', 'd', 'e')


class OneImage:
    """An item as the only image of a data set."""

    classes, names, palette = CLASSES, ('one',), ()

    def __init__(self, item):
        self._item = item

    def __len__(self):
        return 1

    def path(self, _name):
        return self._item['data_samples'].img_path

    def name(self, _path):
        return 'one'

    def item(self, _name):
        return {'inputs': self._item['inputs'], 'data_samples': self._item['data_samples'].clone()}


def write(source, images, out):
    settings = dict(method=source.method, classes=list(CLASSES), ignore=255)
    return LabelFolder(out, images, source, settings, files=ScoreFiles(source.kind)).write()


def test_the_cams_of_the_present_classes(walker, pictured):
    item, _ = pictured(height=42, width=48)
    source = CAMScores(*walker, cams='final+early')
    arrays = source(item)
    assert arrays['values'].tolist() == [1, 3]
    assert arrays['cams'].dtype == np.float16
    assert arrays['cams'].shape == (2, 10, 12)
    with torch.no_grad():
        cam = average_cams(source._cams.batch(item).cams(['final', 'early']))[0, [0, 2]]
    expected = F.adaptive_avg_pool2d(cam, (10, 12))
    np.testing.assert_allclose(arrays['cams'], expected, atol=5e-4)
    assert source.method == {'made_by': 'CAM scores', 'cams': ['final', 'early'], 'stride': 4}
    assert source.thresholds is None
    assert CAMScores(*walker).method['cams'] == ['final']
    item, _ = pictured(tags=(0,) * 5)
    assert source(item)['cams'].shape == (0, 10, 12)


def test_a_folder_of_scores_makes_the_labels_of_its_cams(walker, pictured, tmp_path):
    item, _ = pictured()
    images = OneImage(item)
    manifest = write(CAMScores(*walker, cams='final+early'), images, tmp_path / 'cams')
    size = (tmp_path / 'cams' / 'one.npz').stat().st_size
    assert manifest.content['bytes_per_image'] == size
    stored = StoredCAMs(tmp_path / 'cams', images)
    values = torch.tensor([1, 3])
    sample = item['data_samples']
    maps = stored(sample, values, torch.Size((40, 48)))
    padded = sample.clone()
    # Left, right, top and bottom.
    padded.set_metainfo(dict(img_padding_size=(4, 12, 8, 16)))
    large = stored(padded, values, torch.Size((64, 64)))
    assert torch.equal(large, F.pad(maps, (4, 12, 8, 16)))
    mirrored = sample.clone()
    mirrored.set_metainfo(dict(flip=True, flip_direction='horizontal'))
    assert torch.equal(stored(mirrored, values, torch.Size((40, 48))), maps.flip(-1))
    source = CAMLabels(*walker, labels='pixel', stored=stored)
    assert source.method['cams'] == ['stored']
    assert source.method['cams_from'] == stored.fingerprint
    label = source(item)
    whole = CAMLabels(*walker, labels='pixel')(item)
    # The cells are coarser than the pixels.
    assert (label == whole).float().mean() > 0.85
    assert set(label.unique().tolist()) <= {0, 1, 3, 255}
    walked = CAMLabels(*walker, labels='walk', refine='none', stored=stored)(item)
    reference = CAMLabels(*walker, labels='walk', cams='final+early', refine='none')(item)
    assert (walked == reference).float().mean() > 0.85
    with pytest.raises(DataError, match=r'classes \[2\] of its tags, received those of \[1, 3\]'):
        stored(sample, torch.tensor([2]), torch.Size((40, 48)))
    with pytest.raises(DataError, match='received value 1 for'):
        StoredCAMs(tmp_path / 'cams', SimpleNamespace(classes=('background', 'x'), names=('one',)))
    with pytest.raises(DataError, match='received none for 1'):
        StoredCAMs(tmp_path / 'cams', SimpleNamespace(classes=CLASSES, names=('two',)))


def test_scores_of_alphas_and_the_labels_that_they_make(walker, pictured, tmp_path):
    pytest.importorskip('pydensecrf')
    item, _ = pictured()
    images = OneImage(item)
    source = CAMScores(*walker, alphas=(4, 32), crf=dict(num_iter=3))
    assert source.method['alphas'] == [4, 32]
    write(source, images, tmp_path / 'alphas')
    folder = ScoreFolder(tmp_path / 'alphas', source.kind)
    values, low, high = folder.alphas('one')
    assert values.tolist() == [1, 3]
    work = source(images.item('one'))
    cams = work.arguments[0]
    settings = dict(num_iter=3, gaussian=(3, 3), bilateral=(80, 13, 10))
    exact = scores_of_alphas(work.image_path, cams, (4, 32), settings)
    np.testing.assert_allclose(np.stack((low, high)), exact, atol=1.01 / 255)
    by_low, by_high = exact.argmax(axis=1)
    expected = np.where(by_high == 0, 0, np.where(by_low == 0, 255, np.array([0, 1, 3])[by_low]))
    assert (folder.label('one') == expected).mean() >= 0.999
    assert {255} < set(np.unique(expected).tolist())


def test_an_interrupted_or_damaged_folder_of_scores_goes_on(walker, pictured, tmp_path):
    item, _ = pictured()
    images, source = OneImage(item), CAMScores(*walker)
    write(source, images, tmp_path / 'cams')
    files = {path: path.read_bytes() for path in (tmp_path / 'cams').iterdir()}
    path = tmp_path / 'cams' / 'one.npz'
    path.write_bytes(files[path][:-30])
    write(source, images, tmp_path / 'cams')
    assert {path: path.read_bytes() for path in (tmp_path / 'cams').iterdir()} == files
    path.write_bytes(files[path].replace(b'cams.npy', b'cats.npy'))
    assert ScoreFiles().tally(path) == (path.stat().st_size, 1)
    with pytest.raises(DataError, match=r"one\.npz: expected scores named \['values', 'cams'\]"):
        ScoreFolder(tmp_path / 'cams').cams('one')


def test_a_window_as_large_as_the_image_changes_nothing(walker, pictured):
    item, _ = pictured()
    for refine in ('none', 'par'):
        whole = CAMLabels(*walker, labels='pixel', refine=refine)(item)
        source = CAMLabels(*walker, labels='pixel', refine=refine, window=(64, 32))
        assert torch.equal(source(item), whole)
        assert source.method['window'] == [64, 32]


def test_windows_label_by_what_each_of_them_sees(walker, pictured):
    item, _ = pictured()
    source = CAMLabels(*walker, labels='pixel', refine='none', window=(24, 16))
    with torch.no_grad():
        cams = source._cams.batch(item).windowed_cams(['final', 'early'], 24, 16)
    local = cam_to_label(average_cams(cams), torch.ones(1, 2), 0.2, 0.5)[0]
    expected = torch.tensor([0, 1, 3, *[255] * 253])[local]
    assert torch.equal(source(item), expected)
    assert not torch.equal(expected, CAMLabels(*walker, labels='pixel', refine='none')(item))


def test_what_does_not_fit(walker):
    with pytest.raises(ConfigError, match='reads CAMs alone for --window, received walk'):
        CAMLabels(*walker, labels='walk', refine='none', window=(32, 16))
    with pytest.raises(ConfigError, match='0 < --stride <= --window, received a stride of 40'):
        CAMScores(*walker, window=(32, 40))
    with pytest.raises(ConfigError, match='received both'):
        CAMScores(*walker, window=(32, 16), stored=object())
    with pytest.raises(ConfigError, match=r'two --alphas, 1 <= low <= high, received \[32, 4\]'):
        CAMScores(*walker, alphas=(32, 4))
    with pytest.raises(ConfigError, match='with --scores alphas'):
        CAMScores(*walker, crf=dict(num_iter=3))
    with pytest.raises(ValueError, match=r"received \['cnn'\]"):
        CAMScores(*walker, cams='cnn')
