from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.models.pseudo_labels import PAR

CLOSE = {'atol': 1e-5, 'rtol': 0}


@pytest.fixture
def arrays(reference):
    return reference('par')


def test_reference_values(arrays):
    assert_close(PAR()(arrays['image'], arrays['masks']), arrays['out'], **CLOSE)
    out = PAR(num_iter=15)(arrays['image'], arrays['masks'][:, :1])
    assert_close(out, arrays['out_iter15'], **CLOSE)


def test_reference_values_of_resized_masks(arrays):
    assert_close(PAR()(arrays['image'], arrays['masks_low']), arrays['out_low'], **CLOSE)


def test_reference_values_with_another_eps(reference):
    arrays = reference('par_eps')
    assert_close(PAR(eps=1e-5)(arrays['imgs'], arrays['masks']), arrays['out'], **CLOSE)


def test_reference_growth_of_constant_masks(arrays):
    out = PAR()(arrays['image'], torch.ones_like(arrays['masks'][:, :1]))
    assert_close(out, arrays['out_ones_iter10'], **CLOSE)


def test_linear_and_independent_by_channel(arrays):
    par, image, masks = PAR(num_iter=2), arrays['image'], arrays['masks']
    one, two = (par(image, masks[:, [index]]) for index in range(2))
    assert_close(par(image, masks), torch.cat((one, two), dim=1))
    assert_close(par(image, 2 * masks[:, :1] - masks[:, 1:]), 2 * one - two)


def test_half_and_autocast(arrays):
    image, masks = arrays['image'].half(), arrays['masks'].half()
    out = PAR()(image, masks)
    assert out.dtype == torch.float32
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert_close(PAR()(image, masks), out)


def test_odd_sizes_and_one_pixel():
    assert PAR(num_iter=1)(torch.rand(2, 3, 7, 5), torch.rand(2, 1, 3, 9)).shape == (2, 1, 7, 5)
    assert PAR(num_iter=1)(torch.rand(1, 3, 1, 1), torch.ones(1, 1, 1, 1)).item() > 1


@pytest.mark.parametrize('options', [{'num_iter': -1}, {'dilations': (0,)}, {'w1': 0}])
def test_bad_options(options):
    with pytest.raises(ValueError, match='for PAR'):
        PAR(**options)


def test_bad_shapes():
    with pytest.raises(ValueError, match='masks'):
        PAR()(torch.rand(2, 3, 4, 4), torch.rand(1, 2, 4, 4))
