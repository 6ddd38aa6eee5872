from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from wsss_plugin.ops import choose_crops, crop_is_positive, extract_crops

SIZE, MARGIN = 96, 48


@pytest.fixture
def arrays(reference):
    return reference('crop_from_roi_neg')


def keys_of_permutations(region, generator):
    """Keys whose order is that of one random permutation of the candidates per image."""
    keys = torch.zeros(region.shape)
    for key, regions in zip(keys, region, strict=True):
        central = torch.zeros(regions.shape, dtype=torch.bool)
        central[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
        candidate = central & (regions <= 1)
        candidate = candidate if candidate.sum() >= 8 else central
        places = candidate.flatten().nonzero().flatten()
        order = torch.randperm(len(places), generator=generator)
        key.view(-1)[places[order]] = torch.arange(len(places), 0, -1).float()
    return keys


def test_reference_crops(arrays):
    region = arrays['roi_mask']
    generator = torch.Generator().manual_seed(int(arrays['torch_seed']))
    top_left = choose_crops(region, keys_of_permutations(region, generator), 8, SIZE)
    assert torch.equal(top_left, arrays['top_left'])
    positive = crop_is_positive(region, top_left, SIZE)
    assert torch.equal(positive, arrays['flags'][:, 2:].bool())
    crops = extract_crops(arrays['image_u8'].float() / 255, top_left[:1], SIZE)
    assert_close(crops.mean(dim=(2, 3, 4)).T, arrays['crop0_mean'], atol=1e-5, rtol=0)


@pytest.mark.parametrize('crop_size', [4, 5])
def test_equals_loops(plain, crop_size):
    generator = torch.Generator().manual_seed(2)
    region = torch.randint(0, 3, (3, 13, 11), generator=generator)
    region[1] = 2
    region[2, :, 4:] = 0
    keys = torch.rand(3, 13, 11, generator=generator)
    image = torch.rand(3, 3, 13, 11, generator=generator)
    corners, crops, flags = plain.local_crops(image, region, keys, 6, crop_size, threshold=0.9)
    top_left = choose_crops(region, keys, 6, crop_size)
    assert torch.equal(top_left, corners)
    assert torch.equal(extract_crops(image, top_left, crop_size), crops)
    assert torch.equal(crop_is_positive(region, top_left, crop_size, 0.9), flags)
    assert flags.any()
    assert not flags.all()


def test_choice_does_not_depend_on_the_batch():
    region, keys = torch.randint(0, 3, (4, 20, 20)), torch.rand(4, 20, 20)
    together = choose_crops(region, keys, 5, 8)
    alone = torch.cat([choose_crops(region[[i]], keys[[i]], 5, 8) for i in range(4)])
    assert torch.equal(together, alone)


def test_centres_avoid_foreground():
    region = torch.full((1, 16, 16), 2)
    region[0, 4:12, 4:7] = 1
    top_left = choose_crops(region, torch.rand(1, 16, 16), 8, 4)
    centres = top_left[0] + 2
    assert (region[0, centres[:, 0], centres[:, 1]] == 1).all()
    assert len(set(map(tuple, top_left[0].tolist()))) == 8


def test_crop_as_large_as_the_image():
    top_left = choose_crops(torch.zeros(1, 6, 6), torch.rand(1, 6, 6), 3, 6)
    assert top_left.tolist() == [[[0, 0]] * 3]
    image = torch.rand(1, 3, 6, 6)
    assert torch.equal(extract_crops(image, top_left, 6), image.unsqueeze(1).expand(1, 3, 3, 6, 6))


def test_confident_foreground_counts_twice():
    region = torch.zeros(1, 4, 4)
    region[0, 0, :2] = 2
    corner = torch.zeros(1, 1, 2, dtype=torch.long)
    assert not crop_is_positive(region, corner, 4, threshold=0.25).item()
    assert crop_is_positive(region, corner, 4, threshold=0.2499).item()


def test_crops_have_gradient():
    image = torch.rand(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    corners = torch.tensor([[[0, 1], [1, 1]]])
    assert torch.autograd.gradcheck(lambda x: extract_crops(x, corners, 2), (image,))


def test_errors():
    region, keys = torch.zeros(1, 4, 4), torch.rand(1, 4, 4)
    with pytest.raises(ValueError, match='crop size 5'):
        choose_crops(region, keys, 1, 5)
    with pytest.raises(ValueError, match='crop size 5'):
        extract_crops(torch.rand(1, 3, 4, 4), torch.zeros(1, 1, 2, dtype=torch.long), 5)
    with pytest.raises(ValueError, match='at least one local crop'):
        choose_crops(region, keys, 0, 2)
    with pytest.raises(ValueError, match='same shape'):
        choose_crops(region, keys[0], 1, 2)
