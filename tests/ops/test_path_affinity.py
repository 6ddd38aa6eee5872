from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import (
    affinity_loss,
    affinity_pair_labels,
    boundary_walk,
    displacement_loss,
    pair_offsets,
    path_affinity,
)
from wsss_plugin.ops.path_affinity import _line

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.fixture
def arrays(reference):
    return reference('irn_path_affinity')


@pytest.fixture
def published(arrays):
    """Sorts pairs into the published order, by the length of their lines."""
    order = [pair_offsets(5).index(tuple(offset)) for offset in arrays['pi_search_dst'].tolist()]
    assert sorted(order) == list(range(34))
    return lambda pairs: pairs[..., order, :]


def test_lines_match_the_reference(arrays):
    lines = [line for number in range(9) for line in arrays[f'pi_offsets_{number}'].tolist()]
    for offset, line in zip(arrays['pi_search_dst'].tolist(), lines, strict=True):
        assert sorted(map(tuple, line)) == sorted(_line(tuple(offset)))


def test_affinity_matches_the_reference(arrays, published):
    affinity = path_affinity(arrays['t_edge'], 5, 'published')
    assert_close(published(affinity), arrays['t_aff'], **CLOSE)
    assert torch.equal(affinity, path_affinity(arrays['t_edge'][:, 0], 5, 'published'))


def test_labels_match_the_reference(arrays, published):
    kinds = affinity_pair_labels(arrays['t_label'].unsqueeze(0), 5, 'published')
    for kind, name in zip(kinds, ('t_bg', 't_fg', 't_neg'), strict=True):
        assert torch.equal(published(kind)[0], arrays[name].bool())


def test_losses_match_the_reference(arrays):
    background, foreground, negative = affinity_pair_labels(
        arrays['t_label'].expand(2, -1, -1), 5, 'published'
    )
    affinity = path_affinity(arrays['t_edge'], 5, 'published')
    loss = affinity_loss(affinity, background, foreground, negative)
    assert_close(loss, (arrays['t_pos_aff_loss'] + arrays['t_neg_aff_loss']) / 2, **CLOSE)
    moved = displacement_loss(arrays['t_dp'], background, foreground, 5, 'published')
    assert_close(moved, (arrays['t_dp_fg_loss'] + arrays['t_dp_bg_loss']) / 2, **CLOSE)
    assert_close(loss + moved, arrays['t_total'], **CLOSE)


def test_complete_affinity_is_the_published_matrix_of_the_padded_grid(arrays):
    affinity = path_affinity(arrays['edge'], 5)[0]
    matrix = arrays['dense_aff']
    found = torch.eye(72)
    for number, (down, right) in enumerate(pair_offsets(5)):
        for place in range(72):
            row, column = place // 9 + down, place % 9 + right
            if row < 8 and 0 <= column < 9:
                found[place, row * 9 + column] = affinity[number, place]
                found[row * 9 + column, place] = affinity[number, place]
    assert_close(found, matrix, **CLOSE)


def test_walk_matches_the_reference(arrays):
    walked = boundary_walk(arrays['cam'].unsqueeze(0), arrays['edge'].unsqueeze(0))
    # The reference squares in float32 and is itself 4.8e-5 away from the exact walk.
    assert_close(walked[0], arrays['rw'][:, 0], atol=1e-4, rtol=0)
    exact = boundary_walk(arrays['cam'].unsqueeze(0).double(), arrays['edge'].unsqueeze(0))
    assert_close(exact[0], arrays['rw_float64'][:, 0], atol=1e-7, rtol=0)


def test_affinity_equals_loops():
    edge = torch.rand(2, 1, 4, 5)
    affinity = path_affinity(edge, 3)
    for number, (down, right) in enumerate(pair_offsets(3)):
        for row, column in ((0, 2), (1, 1), (3, 4)):
            pair = affinity[:, number, row * 5 + column]
            if row + down >= 4 or not 0 <= column + right < 5:
                assert pair.tolist() == [0, 0]
                continue
            steps = [
                edge[:, 0, row + y, column + x]
                for y in range(down + 1)
                for x in range(min(0, right), max(0, right) + 1)
                if abs(down * x - right * y) / (down**2 + right**2) ** 0.5 < 1
            ]
            assert_close(pair, 1 - torch.stack(steps).amax(dim=0))


def test_a_boundary_stops_the_walk():
    cam, edge = torch.zeros(1, 2, 6, 9), torch.zeros(1, 1, 6, 9)
    cam[0, 0, 2, 1] = 1
    edge[..., 4] = 1
    walked = boundary_walk(cam, edge, radius=4)[0]
    assert (walked[0, :, :4] > 0).all()
    assert torch.equal(walked[0, :, 4:], torch.zeros(6, 5))
    assert torch.equal(walked[1], torch.zeros(6, 9))


@pytest.mark.parametrize('border', ['complete', 'published'])
def test_gradient(border):
    edge = torch.rand(1, 1, 4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: path_affinity(x, 3, border), (edge,), fast_mode=True)
    field = torch.randn(1, 2, 4, 6, dtype=torch.float64, requires_grad=True)
    kinds = affinity_pair_labels(torch.tensor([0, 0, 1, 1, 1, 0]).expand(1, 4, 6), 3, border)

    def loss(field):
        return displacement_loss(field, *kinds[:2], 3, border)

    assert torch.autograd.gradcheck(loss, (field,))


def test_everything_ignored_is_zero_without_gradient():
    field = torch.randn(1, 2, 3, 4, requires_grad=True)
    none = torch.zeros(1, 12, 12, dtype=torch.bool)
    loss = displacement_loss(field, none, none, 3)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(field.grad, torch.zeros_like(field))


def test_counts_of_several_processes():
    field, kind = torch.randn(1, 2, 3, 4), torch.ones(1, 12, 12, dtype=torch.bool)
    alone = displacement_loss(field, kind, kind, 3)
    shared = displacement_loss(field, kind, kind, 3, mean_count=lambda count: 4 * count)
    assert_close(shared, alone / 4, **CLOSE)


def test_bad_input():
    with pytest.raises(ValueError, match=r'edges \(B, 1, h, w\)'):
        path_affinity(torch.rand(1, 2, 4, 6), 3)
    with pytest.raises(ValueError, match='received 4x6'):
        path_affinity(torch.rand(1, 1, 4, 6), 5, 'published')
    with pytest.raises(ValueError, match=r'displacements \(B, 2, h, w\)'):
        displacement_loss(torch.rand(1, 1, 4, 6), torch.ones(1), torch.ones(1), 3)
    with pytest.raises(ValueError, match=r'kinds of pairs of shape \(1, 12, 24\)'):
        displacement_loss(torch.rand(1, 2, 4, 6), *[torch.ones(1, 12, 23)] * 2, 3)
    with pytest.raises(ValueError, match='on the same grid'):
        boundary_walk(torch.rand(1, 2, 4, 6), torch.rand(1, 1, 4, 5))
