"""Windows against the whole image, their average where they overlap, and bounded memory."""

import numpy as np
import pytest
import torch

from wsss_plugin.engine.prediction import predict_by_windows
from wsss_plugin.errors import ConfigError

_CLASSES = 4


def _image(height, width):
    return np.random.RandomState(0).randint(0, 256, (height, width, 3), dtype=np.uint8)


def _by_pixel(part):
    weights = torch.linspace(-2, 2, _CLASSES * 3).sin().reshape(_CLASSES, 3) * 5
    pixels = torch.from_numpy(part / 255.0).float()
    return torch.einsum('hwc,kc->khw', pixels, weights).softmax(dim=0)


@pytest.mark.parametrize('size', [(37, 53), (8, 53), (64, 64), (5, 7)])
@pytest.mark.parametrize(('window', 'stride'), [(16, 10), (16, 16), (64, 1), (9, 4)])
def test_windows_equal_the_whole_without_context(size, window, stride):
    image = _image(*size)
    best, label = _by_pixel(image).max(dim=0)
    found = predict_by_windows(image, window, stride, _by_pixel)
    assert found.label.dtype == np.uint8
    assert (found.label == label.numpy()).all()
    np.testing.assert_allclose(found.score, best.numpy(), atol=1e-3)


def test_probabilities_are_averaged_where_windows_overlap():
    numbers = iter((0.9, 0.3, 0.2))

    def by_number(part):
        share = next(numbers)
        return torch.tensor([share, 1 - share])[:, None, None].expand(2, *part.shape[:2])

    # Columns 0-3, 2-5 and 4-7.
    found = predict_by_windows(_image(4, 8), 4, 2, by_number)
    assert found.label[0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    expected = [0.9, 0.9, 0.6, 0.6, 0.75, 0.75, 0.8, 0.8]
    np.testing.assert_allclose(found.score[3], expected, atol=1e-3)


def test_rows_that_overlap_are_averaged_too():
    def by_height(part):
        ramp = torch.linspace(0.1, 0.9, len(part))[:, None].expand(*part.shape[:2])
        return torch.stack((ramp, 1 - ramp))

    found = predict_by_windows(_image(7, 3), 4, 3, by_height)
    first = np.linspace(0.1, 0.9, 4)
    mean = np.concatenate((first[:3], [(first[3] + first[0]) / 2], first[1:]))
    np.testing.assert_allclose(found.score[:, 0], np.maximum(mean, 1 - mean), atol=1e-3)


def test_no_more_than_a_row_of_windows_is_kept(monkeypatch):
    made = []
    zeros = torch.zeros

    def counted(*size, **options):
        made.append(int(np.prod(size)))
        return zeros(*size, **options)

    monkeypatch.setattr(torch, 'zeros', counted)
    predict_by_windows(_image(640, 64), 16, 16, _by_pixel)
    assert sorted(made) == [16 * 64, _CLASSES * 16 * 64]


def test_a_stride_beyond_the_window_is_refused():
    with pytest.raises(ConfigError, match='a stride of 9 and a window of 8'):
        predict_by_windows(_image(20, 20), 8, 9, _by_pixel)
