from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from wsss_plugin.ops import resized_argmax, resized_cross_entropy, resized_logits

SIZES = [((3, 4), (13, 9)), ((5, 1), (7, 6)), ((8, 8), (3, 5)), ((1, 1), (1, 1))]


@pytest.fixture(params=[1, 2 << 20], ids=['rows', 'whole'])
def bands(request, monkeypatch):
    """Bands of single rows, and one band of all."""
    monkeypatch.setitem(resized_logits._BAND_BYTES, 'cpu', request.param)


def given(grid, size, ignored=-1, dtype=torch.float64):
    draw = torch.Generator().manual_seed(4)
    logits = torch.randn(2, 5, *grid, generator=draw, dtype=dtype, requires_grad=True)
    label = torch.randint(ignored, 5, (2, *size), generator=draw)
    return logits, label


def resized(logits, size, align_corners):
    return F.interpolate(logits, size, mode='bilinear', align_corners=align_corners)


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.usefixtures('bands')
@pytest.mark.parametrize(('grid', 'size'), SIZES)
def test_loss_and_gradient_of_the_resized_logits(grid, size, align_corners):
    logits, label = given(grid, size)
    weights = torch.rand(label.shape, dtype=torch.float64)
    whole = resized(logits, size, align_corners)
    expected = F.cross_entropy(whole, label, ignore_index=-1, reduction='none')
    received = resized_cross_entropy(logits, label, -1, align_corners)
    torch.testing.assert_close(received, expected, rtol=0, atol=1e-12)
    assert (received[label == -1] == 0).all()
    slopes = [torch.autograd.grad((x * weights).sum(), logits)[0] for x in (received, expected)]
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-12)
    winners = resized_argmax(logits, size, align_corners)
    assert torch.equal(winners, whole.argmax(dim=1))


def test_everything_ignored_has_no_gradient():
    logits, label = given((2, 2), (4, 4))
    loss = resized_cross_entropy(logits, torch.full_like(label, 255))
    assert loss.abs().sum() == 0
    assert torch.autograd.grad(loss.sum(), logits)[0].abs().sum() == 0


def test_half_precision_is_computed_in_float32():
    logits, label = given((3, 3), (6, 6), 0, torch.bfloat16)
    with torch.autocast('cpu', torch.bfloat16):
        loss = resized_cross_entropy(logits, label)
    assert loss.dtype == torch.float32
    expected = F.cross_entropy(resized(logits.float(), (6, 6), False), label, reduction='none')
    torch.testing.assert_close(loss, expected)
    loss.sum().backward()
    assert logits.grad.dtype == torch.bfloat16


def test_shapes_that_do_not_belong_together():
    with pytest.raises(ValueError, match=r'expected logits \(B, K, h, w\) and a label'):
        resized_cross_entropy(torch.rand(2, 3, 4, 4), torch.zeros(1, 4, 4, dtype=torch.long))
