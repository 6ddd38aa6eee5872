from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops.cluster import cell_matrix, cluster_assignment

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.mark.parametrize('case', ['iter3', 'iter10', 'oddgrid'])
def test_reference_assignment_and_centres(reference, case):
    arrays = reference(f'cluster_attention_{case}')
    tokens = arrays['x'][:, arrays['K'] :]
    dim = tokens.shape[-1:]
    projected = F.linear(tokens, arrays['sd_proj_st.weight'], arrays['sd_proj_st.bias'])
    norm = (arrays['sd_ln_pat2.weight'], arrays['sd_ln_pat2.bias'])
    patches = F.layer_norm(projected, dim, *norm)
    grid = int(arrays['h']), int(arrays['w'])
    assignment, centres = cluster_assignment(patches, grid, int(arrays['n_iter']))
    assert_close(assignment, arrays['asso'], **CLOSE)
    norm = (arrays['sd_ln_st.weight'], arrays['sd_ln_st.bias'])
    assert_close(F.layer_norm(centres, dim, *norm), arrays['stokens_normed'], **CLOSE)


def test_plain_formulation_of_one_step():
    patches = torch.randn(1, 12, 5, dtype=torch.float64)
    assignment, centres = cluster_assignment(patches, (3, 4), steps=1, cell=(3, 2))
    cells = patches[0].view(3, 4, 5)
    means = [cells[:, :2].reshape(-1, 5).mean(0), cells[:, 2:].reshape(-1, 5).mean(0)]
    scores = torch.tensor([[patch @ mean / 5**0.5 for mean in means] for patch in patches[0]])
    expected = scores.double().softmax(dim=1)
    assert_close(assignment[0], expected, atol=1e-6, rtol=0)
    for index in range(2):
        weights = assignment[0, :, index]
        mean = (weights[:, None] * patches[0]).sum(0) / (weights.sum() + 1e-8)
        assert_close(centres[0, index], mean)


def test_equal_patches_far_apart_fall_into_one_cluster():
    patches = torch.zeros(1, 16, 2)
    patches[0, [0, 15]] = torch.tensor([20.0, 0.0])
    patches[0, 5] = torch.tensor([0.0, 20.0])
    assignment, _ = cluster_assignment(patches, (4, 4), steps=10)
    assert_close(assignment[0, 0], assignment[0, 15])
    assert assignment[0, 0].argmax() != assignment[0, 5].argmax()


@pytest.mark.parametrize(('grid', 'count'), [((1, 1), 1), ((1, 5), 2), ((7, 9), 12), ((2, 3), 1)])
def test_odd_and_small_grids(grid, count):
    patches = torch.randn(2, grid[0] * grid[1], 4)
    assignment, centres = cluster_assignment(patches, grid)
    assert assignment.shape == (2, grid[0] * grid[1], count)
    assert centres.shape == (2, count, 4)
    assert_close(assignment.sum(dim=2), torch.ones(assignment.shape[:2]))


def test_gradient():
    patches = torch.randn(1, 6, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: cluster_assignment(x, (2, 3), 2, (1, 2)), (patches,))


def test_constant_patches_belong_equally_to_all():
    assignment, centres = cluster_assignment(torch.ones(1, 16, 3), (4, 4))
    assert_close(assignment, torch.full((1, 16, 4), 0.25))
    assert_close(centres, torch.ones(1, 4, 3))


def test_half_precision_keeps_its_type():
    patches = torch.randn(1, 16, 3).bfloat16()
    assignment, centres = cluster_assignment(patches, (4, 4))
    assert assignment.dtype == centres.dtype == torch.bfloat16
    wide = cluster_assignment(patches.float(), (4, 4))
    assert_close((assignment.float(), centres.float()), wide, atol=0.02, rtol=0.02)


def test_errors():
    with pytest.raises(ValueError, match='grid'):
        cluster_assignment(torch.rand(1, 5, 2), (2, 3))
    with pytest.raises(ValueError, match='one step'):
        cluster_assignment(torch.rand(1, 6, 2), (2, 3), steps=0)
    with pytest.raises(ValueError, match='cell'):
        cluster_assignment(torch.rand(1, 6, 2), (2, 3), cell=(0, 2))


@pytest.mark.parametrize(('grid', 'cells'), [((6, 8), (3, 4)), ((7, 9), (3, 4)), ((5, 1), (2, 1))])
def test_means_of_cells_are_those_of_adaptive_pooling(grid, cells):
    maps = torch.randn(2, 3, *grid, dtype=torch.float64)
    rows, columns = (cell_matrix(*pair, maps) for pair in zip(grid, cells, strict=True))
    assert_close(rows @ maps @ columns.T, F.adaptive_avg_pool2d(maps, cells))
