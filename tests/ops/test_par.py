from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import pixel_affinity, propagate

CLOSE = {'atol': 1e-5, 'rtol': 0}


def test_reference_values(reference):
    arrays = reference('par')
    affinity = pixel_affinity(arrays['image'])
    assert_close(propagate(arrays['masks'], affinity), arrays['out'], **CLOSE)
    once = propagate(arrays['masks'], affinity, num_iter=1)
    assert_close(once, arrays['out_iter1'], **CLOSE)
    long = propagate(arrays['masks'][:, :1], affinity, num_iter=15)
    assert_close(long, arrays['out_iter15'], **CLOSE)


def test_reference_values_on_a_constant_image(reference):
    arrays = reference('par')
    affinity = pixel_affinity(arrays['image_flat'])
    assert_close(propagate(arrays['masks'][:, :1], affinity), arrays['out_flat'], **CLOSE)


def test_reference_affinity_with_another_eps(reference):
    arrays = reference('par_eps')
    affinity = pixel_affinity(arrays['imgs'], eps=1e-5)
    assert_close(affinity[:1, :, :8, :8], arrays['aff'][0], **CLOSE)


@pytest.mark.parametrize(('height', 'width'), [(13, 17), (1, 1), (3, 30)])
@pytest.mark.parametrize('dilations', [(1,), (3, 1), (1, 2, 4, 8, 12, 24)])
def test_equals_the_plain_formulation(plain, height, width, dilations):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
    masks = torch.rand(2, 3, height, width, generator=generator, dtype=torch.float64)
    affinity = pixel_affinity(image, dilations)
    assert_close(affinity, plain.par_affinity(image, dilations))
    refined = propagate(masks, affinity, dilations, num_iter=3)
    assert_close(refined, plain.par(image, masks, num_iter=3, dilations=dilations))


def test_rows_sum_to_one_plus_w2():
    affinity = pixel_affinity(torch.rand(1, 3, 5, 6), w2=0.2)
    assert_close(affinity.sum(dim=1), torch.full((1, 5, 6), 1.2))


def test_half_precision_is_computed_in_float32():
    image = torch.rand(1, 3, 8, 8)
    half = pixel_affinity(image.half())
    assert half.dtype == torch.float32
    assert_close(half, pixel_affinity(image.half().float()))
    assert propagate(torch.rand(1, 1, 8, 8).half(), half).dtype == torch.float32


def test_gradient_reaches_masks_and_image():
    image = torch.rand(1, 3, 3, 4, dtype=torch.float64, requires_grad=True)
    masks = torch.rand(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)

    def refine(image, masks):
        return propagate(masks, pixel_affinity(image, (1, 2)), (1, 2), num_iter=2)

    assert torch.autograd.gradcheck(refine, (image, masks))


def test_inputs_are_left_alone():
    image, masks = torch.rand(1, 3, 5, 5), torch.rand(1, 2, 5, 5)
    before = image.clone(), masks.clone()
    propagate(masks, pixel_affinity(image))
    assert_close((image, masks), before)


def test_no_iteration_changes_nothing():
    masks = torch.rand(1, 2, 5, 5)
    affinity = pixel_affinity(torch.rand(1, 3, 5, 5))
    assert_close(propagate(masks, affinity, num_iter=0), masks)


@pytest.mark.parametrize('dilations', [(), (0, 1)])
def test_bad_dilations(dilations):
    with pytest.raises(ValueError, match='positive dilation'):
        pixel_affinity(torch.rand(1, 3, 4, 4), dilations)


def test_bad_shapes():
    with pytest.raises(ValueError, match='images of shape'):
        pixel_affinity(torch.rand(3, 4, 4))
    affinity = pixel_affinity(torch.rand(1, 3, 4, 4), (1,))
    with pytest.raises(ValueError, match='pixel_affinity'):
        propagate(torch.rand(1, 2, 5, 4), affinity, (1,))
    with pytest.raises(ValueError, match='num_iter'):
        propagate(torch.rand(1, 2, 4, 4), affinity, (1,), num_iter=-1)
