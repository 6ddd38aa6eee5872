from __future__ import annotations

import time

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops import alpha_scores, pair_affinity, pair_offsets, random_walk

CLOSE = {'atol': 1e-5, 'rtol': 0}


def dense(affinity, size, radius, border):
    """The matrix of affinities of one image, by loops."""
    height, width = size
    rows, columns = range(height), range(width)
    if border == 'published':
        rows, columns = range(height - radius + 1), range(radius - 1, width - radius + 1)
    matrix = torch.eye(height * width, dtype=affinity.dtype)
    for place, (row, column) in enumerate((row, column) for row in rows for column in columns):
        for number, (down, right) in enumerate(pair_offsets(radius)):
            if row + down < height and 0 <= column + right < width:
                one, two = row * width + column, (row + down) * width + column + right
                matrix[one, two] = matrix[two, one] = affinity[number, place]
    return matrix


def dense_walk(scores, matrix, beta, doublings):
    """The published walk: the transition matrix squared, then applied to all scores."""
    transition = matrix**beta
    transition = transition / transition.sum(dim=0, keepdim=True)
    for _ in range(doublings):
        transition = transition @ transition
    return (scores.flatten(1) @ transition).view_as(scores)


def from_dense(matrix, size, radius):
    """Affinities of pairs (P, S) with a complete border from a dense matrix."""
    height, width = size
    affinity = torch.zeros(len(pair_offsets(radius)), height * width)
    for number, (down, right) in enumerate(pair_offsets(radius)):
        for place in range(height * width):
            row, column = place // width + down, place % width + right
            if row < height and 0 <= column < width:
                affinity[number, place] = matrix[place, row * width + column]
    return affinity


def test_matches_the_reference(reference):
    arrays = reference('psa_random_walk')
    affinity = from_dense(arrays['aff_dense'], (9, 11), 5).unsqueeze(0)
    walked = random_walk(arrays['pooled'].unsqueeze(0), affinity, 5)
    assert_close(walked[0], arrays['cam_rw_lowres'], **CLOSE)
    exact = random_walk(arrays['pooled'].unsqueeze(0).double(), affinity, 5)
    assert_close(exact[0], arrays['cam_rw_lowres_float64'], **CLOSE)


def test_published_border_matches_the_reference(reference):
    arrays = reference('psa_random_walk')
    complete = from_dense(arrays['aff_dense'], (9, 11), 5).view(1, 34, 9, 11)
    published = complete[..., :5, 4:7].flatten(2)
    walked = random_walk(arrays['pooled'].unsqueeze(0), published, 5, 'published')
    assert_close(walked[0], arrays['cam_rw_lowres'], **CLOSE)


def test_whole_chain_gives_the_published_labels(reference):
    """From two CAMs to the label map, as AffinityNet's script goes."""
    arrays = reference('psa_random_walk')
    cam, tags = torch.zeros(1, 20, 67, 85), torch.zeros(1, 20)
    cam[0, 2], cam[0, 14] = arrays['cam_2'], arrays['cam_14']
    tags[0, [2, 14]] = 1
    scores = F.avg_pool2d(F.pad(alpha_scores(cam, tags, 16), (0, 3, 0, 5)), 8)
    assert_close(scores[0], arrays['pooled'], **CLOSE)
    affinity = from_dense(arrays['aff_dense'], (9, 11), 5).unsqueeze(0)
    walked = random_walk(scores, affinity, 5)
    large = F.interpolate(walked, scale_factor=8, mode='bilinear', align_corners=False)
    assert torch.equal(large.argmax(dim=1)[0, :67, :85], arrays['pred'].long())


@pytest.mark.parametrize('border', ['complete', 'published'])
@pytest.mark.parametrize('size', [(6, 9), (9, 6)])
def test_equals_the_dense_walk(size, border):
    scores, affinity = torch.rand(2, 3, *size), pair_affinity(torch.randn(2, 4, *size), 3, border)
    walked = random_walk(scores, affinity, 3, border, beta=2, steps=64)
    for image in range(2):
        matrix = dense(affinity[image].double(), size, 3, border)
        expected = dense_walk(scores[image].double(), matrix, 2, doublings=6).float()
        assert_close(walked[image], expected, **CLOSE)


def test_pixels_without_neighbours_keep_their_score():
    scores = torch.rand(1, 2, 56, 56)
    affinity = torch.ones(1, 34, 52 * 48)
    walked = random_walk(scores, affinity, 5, 'published', steps=3)
    kept = (walked == scores).all(dim=1)[0].nonzero().tolist()
    alone = [[0, 0], [0, 1], [0, 2], [0, 3], [54, 0], [54, 55]]
    assert kept == [*alone, *([55, column] for column in (0, 1, 54, 55))]


def test_no_step_and_no_affinity_change_nothing():
    scores = torch.rand(1, 2, 4, 5)
    affinity = torch.rand(1, 12, 20)
    assert torch.equal(random_walk(scores, affinity, 3, steps=0), scores)
    assert torch.equal(random_walk(scores, 0 * affinity, 3), scores)


def test_affinity_everywhere_gives_one_value():
    walked = random_walk(torch.rand(1, 1, 3, 3), torch.ones(1, 34, 9), 5, steps=1)
    assert_close(walked, walked.mean().expand_as(walked))


def test_absent_classes_stay_zero_and_constants_stay():
    scores = torch.zeros(2, 4, 5, 6)
    scores[0, 1], scores[1, 3] = 0.4, 1
    walked = random_walk(scores, torch.rand(2, 12, 30), 3)
    assert_close(walked, scores, atol=1e-7, rtol=0)
    assert torch.equal(walked == 0, scores == 0)
    assert torch.equal(random_walk(0 * scores, torch.rand(2, 12, 30), 3), 0 * scores)


def test_half_precision_is_widened():
    scores, affinity = torch.rand(1, 2, 4, 5), torch.rand(1, 12, 20)
    walked = random_walk(scores.bfloat16(), affinity, 3, steps=4)
    assert walked.dtype == torch.float32
    assert_close(walked, random_walk(scores.bfloat16().float(), affinity, 3, steps=4))


def test_no_gradient():
    scores = torch.rand(1, 1, 3, 3, requires_grad=True)
    assert not random_walk(scores, torch.rand(1, 4, 9), 2).requires_grad


def test_much_faster_than_the_dense_walk():
    """At a sixteenth of the pixels of a VOC image at stride 8, where the dense form is cheap."""
    size = 24, 32
    scores, affinity = torch.rand(1, 3, *size), torch.rand(1, 34, 768)
    matrix = torch.rand(768, 768)

    def seconds(walk):
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            walk()
            times.append(time.perf_counter() - begin)
        return min(times)

    sparse = seconds(lambda: random_walk(scores, affinity, 5))
    assert sparse < seconds(lambda: dense_walk(scores[0], matrix, 8, doublings=8))


def test_bad_input():
    scores, affinity = torch.rand(1, 2, 4, 5), torch.rand(1, 12, 20)
    with pytest.raises(ValueError, match=r'scores \(B, K, h, w\)'):
        random_walk(scores[0], affinity, 3)
    with pytest.raises(ValueError, match=r'of shape \(1, 34, 20\).*received \(1, 12, 20\)'):
        random_walk(scores, affinity, 5)
    with pytest.raises(ValueError, match=r'of shape \(1, 12, 2\)'):
        random_walk(scores, affinity, 3, 'published')
    with pytest.raises(ValueError, match='beta above 0'):
        random_walk(scores, affinity, 3, beta=0)
    with pytest.raises(ValueError, match='whole number of steps'):
        random_walk(scores, affinity, 3, steps=-1)
    with pytest.raises(ValueError, match='received 4x5'):
        random_walk(scores, affinity, 5, 'published')
