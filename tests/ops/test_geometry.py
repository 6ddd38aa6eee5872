from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops import ViewGeometry, box_to_view, from_view, to_view

WHOLE = ViewGeometry.of_frame((40, 60))
STRONG = WHOLE.part((0, 40, 0, 60), flip=True, size=(30, 45))
CROP = WHOLE.part((8, 32, 15, 45), flip=True, size=(48, 45))
BEYOND = ViewGeometry((-10.0, 30.0, 20.0, 80.0), False, (40, 60), (20, 30), (0, 20, 0, 30))


@pytest.mark.parametrize('size', [None, (30, 45), (17, 9), (80, 120)])
def test_rescaled_view_is_torchs_interpolation(size):
    maps = torch.randn(2, 3, 40, 60)
    expected = F.interpolate(maps.flip(-1), size or (30, 45), mode='bilinear', align_corners=False)
    assert torch.equal(to_view(maps, STRONG, size), expected)
    assert_close(to_view(maps[:, 0], STRONG, size), expected[:, 0], atol=1e-5, rtol=0)


@pytest.mark.parametrize('size', [(30, 45), (17, 9), (80, 120)])
def test_any_view_is_interpolated_as_torch_does(size):
    """A view that differs from all of view 1 by nothing that counts takes the general way."""
    maps = torch.randn(2, 3, 40, 60, dtype=torch.float64)
    almost = ViewGeometry((0.0, 40.0, 0.0, 60.0 - 1e-13), True, (40, 60), (30, 45), (0, 30, 0, 45))
    assert_close(to_view(maps, almost, size), to_view(maps, STRONG, size), atol=1e-10, rtol=0)
    assert_close(from_view(maps, almost, size), from_view(maps, STRONG, size), atol=1e-10, rtol=0)


def test_logits_of_dupls_view_go_back_as_published():
    """Flipped back, then resized to view 1."""
    logits = torch.randn(2, 6, 21, 21)
    view = ViewGeometry.of_frame((96, 96)).part((0, 96, 0, 96), flip=True, size=(72, 72))
    expected = F.interpolate(logits.flip(-1), (96, 96), mode='bilinear', align_corners=False)
    assert torch.equal(from_view(logits, view), expected)


def test_frame_itself_changes_nothing():
    maps, label = torch.randn(2, 3, 10, 15), torch.randint(0, 256, (2, 40, 60))
    assert torch.equal(to_view(maps, WHOLE, (10, 15)), maps)
    assert torch.equal(to_view(label, WHOLE), label)
    assert torch.equal(from_view(label, WHOLE), label)


def test_crop_of_feature_maps_of_any_resolution():
    """Rows 8 to 32 of 40 are rows 2 to 8 of 10."""
    maps = torch.randn(1, 2, 10, 20)
    expected = maps[..., 2:8, 5:15].flip(-1)
    assert_close(to_view(maps, CROP, (6, 10)), expected)
    back = from_view(expected, CROP, (10, 20), fill=-7)
    assert_close(back[..., 2:8, 5:15], maps[..., 2:8, 5:15])
    back[..., 2:8, 5:15] = -7
    assert (back == -7).all()


def test_label_maps_take_the_nearest_value():
    label = torch.randint(0, 5, (2, 40, 60), dtype=torch.int16)
    shown = to_view(label, CROP)
    assert shown.dtype == torch.int16
    expected = label[:, 8:32, 15:45].flip(-1).repeat_interleave(2, 1)
    # 30 columns become 45: columns 0, 1, 2 of the view are the first and second halves of two.
    assert torch.equal(shown[..., 0::3], expected[..., :48, 0::2])
    assert torch.equal(from_view(shown, CROP)[:, 8:32, 15:45], label[:, 8:32, 15:45])


def test_nearest_value_commutes_with_the_mirror():
    label = torch.randint(0, 9, (1, 40, 60))
    plain = WHOLE.part((0, 40, 0, 60), flip=False, size=(30, 45))
    assert torch.equal(to_view(label, STRONG), to_view(label, plain).flip(-1))


def test_what_lies_outside_is_filled():
    maps, label = torch.ones(1, 1, 40, 60), torch.ones(1, 40, 60, dtype=torch.uint8)
    seen = torch.zeros(20, 30, dtype=torch.bool)
    # 10 of 40 rows lie above view 1 and 20 of 60 columns to its right.
    seen[5:, :20] = True
    assert torch.equal(to_view(maps, BEYOND)[0, 0] == 1, seen)
    assert torch.equal(to_view(maps, BEYOND)[0, 0] == 0, ~seen)
    assert torch.equal(to_view(label, BEYOND)[0] == 255, ~seen)
    assert torch.equal(to_view(label, BEYOND, fill=3)[0] == 3, ~seen)
    back = from_view(torch.ones(1, 20, 30, dtype=torch.uint8), BEYOND)
    assert (back[0, :30, 20:] == 1).all()
    assert (back == 1).sum() == 30 * 40


def test_each_sample_has_its_own_geometry():
    maps = torch.randn(3, 2, 40, 60)
    geometries = [STRONG, WHOLE.part((0, 40, 0, 60), flip=False, size=(30, 45)), STRONG]
    expected = torch.cat([to_view(one[None], g) for one, g in zip(maps, geometries, strict=True)])
    assert torch.equal(to_view(maps, geometries), expected)
    assert not torch.equal(to_view(maps, geometries), to_view(maps, STRONG))


@pytest.mark.parametrize('function', [to_view, from_view])
@pytest.mark.parametrize('geometry', [STRONG, CROP, BEYOND])
def test_gradient(function, geometry):
    maps = torch.randn(1, 1, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda one: function(one, geometry, (5, 4)), (maps,))


def test_half_precision_is_computed_in_float32():
    maps = torch.randn(1, 2, 40, 60, dtype=torch.bfloat16)
    shown = to_view(maps, STRONG)
    assert shown.dtype == torch.bfloat16
    assert torch.equal(shown, to_view(maps.float(), STRONG).bfloat16())


def test_boxes():
    box = torch.tensor([[0, 40, 0, 33], [8, 20, 15, 45], [0, 4, 0, 10]])
    assert box_to_view(box, STRONG).tolist() == [[0, 30, 21, 45], [6, 15, 12, 33], [0, 3, 38, 45]]
    assert box_to_view(box, [WHOLE] * 3).tolist() == box.tolist()
    inside = box_to_view(box, CROP, (24, 30))
    assert inside[:2].tolist() == [[0, 24, 12, 30], [0, 12, 0, 30]]
    assert (inside[2, 1] - inside[2, 0]) * (inside[2, 3] - inside[2, 2]) == 0
    assert box_to_view(box[:0], STRONG).shape == (0, 4)


def test_a_box_holds_what_the_label_shows():
    """Marking a box and showing it equals showing the frame and marking the shown box."""
    box = torch.tensor([[8, 24, 12, 40]])
    label = torch.full((1, 40, 60), 255)
    label[0, 8:24, 12:40] = 1
    for geometry in (STRONG, CROP, BEYOND):
        row0, row1, col0, col1 = box_to_view(box, geometry)[0].tolist()
        shown = to_view(label, geometry)[0]
        assert (shown[row0:row1, col0:col1] == 1).all()
        marked = int((shown == 1).sum())
        area = (row1 - row0) * (col1 - col0)
        assert 0 < area <= marked <= (row1 - row0 + 1) * (col1 - col0 + 1)


def test_errors():
    with pytest.raises(ValueError, match='geometry for each of 3 samples, received 2'):
        to_view(torch.rand(3, 4, 5), [STRONG, STRONG])
    with pytest.raises(ValueError, match=r'received \(4, 5\)'):
        from_view(torch.rand(4, 5), STRONG)
    with pytest.raises(ValueError, match=r'boxes \(B, 4\), received \(4,\)'):
        box_to_view(torch.tensor([0, 1, 0, 1]), STRONG)
