"""CAMs by windows: the operator by hand, and a window as large as the image."""

from __future__ import annotations

import pytest
import torch
from reference_networks import build, cam_config, random_batch

from wsss_plugin.errors import ConfigError
from wsss_plugin.ops.cam import normalize_cam

_CONFIG = dict(
    cams=dict(
        final=dict(multi_scale=dict(eps=1e-3)),
        raw=dict(
            type='CAMHead',
            reads='out.-1',
            in_channels=64,
            num_classes=5,
            pooling='avg',
            multi_scale=dict(normalise=None, relu=None, flip=None),
        ),
    ),
    terms=dict(cls=dict(cams=('final', 'raw'))),
)


@pytest.fixture(scope='module')
def segmentor():
    torch.manual_seed(0)
    return build(cam_config(**_CONFIG)).eval()


@pytest.fixture
def batch(segmentor):
    inputs, samples = random_batch(64, 1)
    samples[0].gt_tags = torch.tensor([1.0, 0, 0, 1, 0])
    return segmentor.batch(inputs['view1'], samples)


def test_one_window_is_the_whole_image(batch):
    whole = batch.cams(['final', 'raw'])
    windowed = batch.windowed_cams(['final', 'raw'], 64, 10)
    for one, other in zip(windowed, whole, strict=True):
        torch.testing.assert_close(one, other[:, [0, 3]])
        assert not one.requires_grad


def test_a_source_with_scales_of_its_own(segmentor, batch, monkeypatch):
    expected = batch.windowed_cams(['raw'], 40, 24)[0]
    own = dict(scales=(1.0,), flip=None)
    monkeypatch.setattr(segmentor.cams['final'], 'multi_scale', own)
    whole = batch.cams(['final', 'raw'])[0]
    final, raw = batch.windowed_cams(['final', 'raw'], 64, 10)
    torch.testing.assert_close(final, whole[:, [0, 3]])
    torch.testing.assert_close(batch.windowed_cams(['final', 'raw'], 40, 24)[1], expected)
    assert raw.shape == final.shape


def test_windows_are_averaged_where_they_overlap_and_normalised_together(segmentor, batch):
    sums, counts = torch.zeros(1, 2, 64, 64), torch.zeros(64, 64)
    options = dict(scales=segmentor.multi_scale['scales'], normalise=None)
    for row in (0, 24):
        for column in (0, 24):
            part = batch.image[..., row : row + 40, column : column + 40]
            alone = segmentor.batch(part, batch.data_samples)
            alone._multi_scale = lambda: options
            cam = alone.windowed_cams(['final'], 40, 40)[0]
            rows, columns = slice(row, row + 40), slice(column, column + 40)
            sums[..., rows, columns] += cam
            counts[rows, columns] += 1
    (found,) = batch.windowed_cams(['final'], 40, 24)
    torch.testing.assert_close(found, normalize_cam(sums / counts, 1e-3))
    assert found.amax() > 0.5


def test_an_image_without_tags_has_no_maps(batch):
    batch.tags[:] = 0
    assert batch.windowed_cams(['final'], 40, 24)[0].shape == (1, 0, 64, 64)


@pytest.mark.parametrize(('window', 'stride'), [(0, 0), (32, 0), (32, 33)])
def test_windows_that_leave_gaps(batch, window, stride):
    with pytest.raises(ConfigError, match=f'a window of {window} pixels'):
        batch.windowed_cams(['final'], window, stride)


def test_a_cam_from_elsewhere(segmentor, batch, monkeypatch):
    monkeypatch.setattr(segmentor.cams['final'], 'finished', True, raising=False)
    with pytest.raises(ConfigError, match=r"received \['final'\]"):
        batch.windowed_cams(['final'], 32, 16)
