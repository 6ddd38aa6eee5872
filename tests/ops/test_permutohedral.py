from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import PermutohedralLattice, permutohedral


@pytest.mark.parametrize('dims', [1, 2, 3, 5, 8])
@pytest.mark.parametrize('spread', [0.3, 2.0])
def test_equals_the_plain_formulation(plain, dims, spread):
    features = spread * torch.randn(80, dims, dtype=torch.float64)
    values = torch.randn(80, 3, dtype=torch.float64)
    filtered = PermutohedralLattice(features).filter(values)
    assert_close(filtered, plain.permutohedral_filter(features, values), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(('dims', 'factor'), [(1, 0.91), (2, 0.87), (3, 0.80), (5, 0.67)])
def test_approximates_a_gaussian(dims, factor):
    features = 3 * torch.rand(3000, dims, dtype=torch.float64)
    values = torch.stack((torch.ones(3000), features[:, 0] > 1), dim=1).double()
    exact = (torch.cdist(features, features).square() / -2).exp() @ values
    filtered = PermutohedralLattice(features).filter(values)
    ratio = filtered[:, 0] / exact[:, 0]
    assert abs(ratio.mean() - factor) < 0.02
    assert ratio.std() / ratio.mean() < 0.06
    share, exact_share = filtered[:, 1] / filtered[:, 0], exact[:, 1] / exact[:, 0]
    assert (share - exact_share).abs().mean() < 0.03


def test_each_channel_is_filtered_alone():
    lattice, values = PermutohedralLattice(torch.randn(30, 5)), torch.randn(30, 4)
    channels = [lattice.filter(channel.unsqueeze(1)) for channel in values.unbind(dim=1)]
    assert_close(lattice.filter(values), torch.cat(channels, dim=1))


def test_the_order_of_the_points_does_not_matter():
    features, values = torch.randn(50, 3).double(), torch.randn(50, 2).double()
    order = torch.randperm(50)
    filtered = PermutohedralLattice(features[order]).filter(values[order])
    assert_close(filtered, PermutohedralLattice(features).filter(values)[order])


def test_equal_points_get_the_sum_of_all():
    lattice = PermutohedralLattice(torch.tensor([[0.3, -0.2]]).double().expand(4, 2))
    alone = PermutohedralLattice(torch.tensor([[0.3, -0.2]]).double())
    values = torch.rand(4, 3).double()
    expected = alone.filter(values.sum(dim=0, keepdim=True)).expand(4, 3)
    assert_close(lattice.filter(values), expected)


def test_distant_points_do_not_meet():
    features = torch.tensor([[0.1, 0.4], [50.0, -80.0]])
    filtered = PermutohedralLattice(features).filter(torch.eye(2))
    alone = [PermutohedralLattice(one[None]).filter(torch.ones(1, 1)).item() for one in features]
    assert min(alone) > 0.1
    assert_close(filtered, torch.diag(torch.tensor(alone)))


def test_gradient_reaches_the_values():
    lattice = PermutohedralLattice(torch.randn(6, 3, dtype=torch.float64))
    values = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lattice.filter, (values,))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    features, values = torch.randn(20, 2, dtype=dtype), torch.randn(20, 2, dtype=dtype)
    filtered = PermutohedralLattice(features).filter(values)
    assert filtered.dtype == torch.float32
    assert_close(filtered, PermutohedralLattice(features.float()).filter(values.float()))


def test_computed_outside_autocast(monkeypatch):
    features, values = torch.randn(20, 5), torch.randn(20, 2)
    expected = PermutohedralLattice(features).filter(values)
    seen = []

    def watched(function):
        def call(*args, **kwargs):
            seen.append(torch.is_autocast_enabled('cpu'))
            return function(*args, **kwargs)

        return call

    for name in ('_in_lattice', '_weighted_rows'):
        monkeypatch.setattr(permutohedral, name, watched(getattr(permutohedral, name)))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        filtered = PermutohedralLattice(features).filter(values)
    assert seen == [False] * (1 + 1 + 6 + 1)  # the positions; splat, blur and slice
    assert_close(filtered, expected, rtol=0, atol=0)


def test_features_must_be_points():
    for shape in ((3,), (0, 2), (2, 0), (1, 2, 3)):
        with pytest.raises(ValueError, match='at least one point and one dimension'):
            PermutohedralLattice(torch.zeros(shape))


@pytest.mark.parametrize('value', [float('nan'), float('inf'), 1e30])
def test_features_must_be_finite_and_not_far_apart(value):
    features = torch.zeros(3, 5)
    features[1, 2] = value
    with pytest.raises(ValueError, match='finite features'):
        PermutohedralLattice(features)


def test_features_must_not_be_far_from_zero_for_their_precision():
    features = torch.full((3, 5), 1e8, dtype=torch.float64)
    with pytest.raises(ValueError, match='finite features'):
        PermutohedralLattice(features.float())
    alone = PermutohedralLattice(features[:1]).filter(torch.ones(1, 1))
    filtered = PermutohedralLattice(features).filter(torch.ones(3, 1))
    assert alone > 0.1
    assert_close(filtered, 3 * alone.expand(3, 1))


def test_one_row_of_values_for_each_point():
    lattice = PermutohedralLattice(torch.zeros(3, 2))
    for shape in ((3,), (2, 1), (3, 1, 1)):
        with pytest.raises(ValueError, match=r'expected values \(3, C\)'):
            lattice.filter(torch.zeros(shape))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')
def test_on_a_gpu():
    features, values = torch.randn(500, 5), torch.randn(500, 4)
    filtered = PermutohedralLattice(features.cuda()).filter(values.cuda())
    expected = PermutohedralLattice(features).filter(values)
    assert_close(filtered.cpu(), expected, rtol=1e-4, atol=1e-4)
