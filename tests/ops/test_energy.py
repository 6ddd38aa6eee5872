from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops import bilateral_filter, dense_energy, mask_outside_box

# Energies and gradients are tiny, so only a relative tolerance says something.
CLOSE = {'atol': 0, 'rtol': 1e-5}


@pytest.fixture
def arrays(reference):
    return reference('energy_loss')


def _inputs(batch=2, classes=3, height=12, width=10, dtype=torch.float64):
    probabilities = torch.randn(batch, classes, height, width, dtype=dtype).softmax(dim=1)
    return probabilities.requires_grad_(), torch.rand(batch, 3, height, width, dtype=dtype)


def _gradient(probabilities, *args, **kwargs):
    return torch.autograd.grad(dense_energy(probabilities, *args, **kwargs), probabilities)[0]


def test_reference_filter(arrays):
    image = arrays['image_u8'][:1, :, ::2, ::2] / 255
    filtered = bilateral_filter(image, torch.ones(1, 1, 24, 32), sigma_rgb=15, sigma_xy=50)
    assert_close(filtered[0, 0], arrays['bilateral_of_ones_image0_half'], **CLOSE)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_reference_energy_and_gradient(arrays, dtype):
    logits = arrays['logits'].to(dtype).requires_grad_()
    image, label = arrays['image_u8'].to(dtype) / 255, arrays['label']
    region = mask_outside_box(torch.ones_like(label), arrays['img_box'], 0)
    energy = 1e-7 * dense_energy(logits.softmax(dim=1), image, region, label == 255)
    assert_close(energy, arrays['loss'][0].to(dtype), **CLOSE)
    energy.backward()
    expected = arrays['grad_of_even_columns'].to(dtype)
    difference = (logits.grad[..., ::2] - expected).abs().max()
    assert difference <= 1e-5 * expected.abs().max()


def test_filter_equals_the_plain_formulation(plain):
    image = torch.rand(2, 3, 7, 5, dtype=torch.float64)
    values = torch.randn(2, 4, 7, 5, dtype=torch.float64)
    filtered = bilateral_filter(image, values, sigma_rgb=60, sigma_xy=3)
    expected = [plain.bilateral_filter(*pair, 60, 3) for pair in zip(image, values, strict=True)]
    assert_close(filtered, torch.stack(expected))


@pytest.mark.parametrize(('height', 'width'), [(12, 10), (13, 9), (3, 2)])
def test_energy_equals_the_plain_formulation(plain, height, width):
    probabilities, image = _inputs(height=height, width=width)
    region = torch.rand(2, height, width) > 0.3
    ignored = torch.rand(2, height, width) > 0.7
    energy = dense_energy(probabilities, image, region, ignored, sigma_rgb=60, sigma_xy=6)
    size = (height // 2, width // 2)
    nearest = [part[..., ::2, ::2][..., : size[0], : size[1]] for part in (image, region, ignored)]
    # The mean of two by two pixels is the bilinear value at half the size.
    small = F.avg_pool2d(probabilities, 2)
    images = zip(nearest[0], small, nearest[1].double(), nearest[2], strict=True)
    expected = sum(plain.dense_energy(*parts, 60, 3) for parts in images) / 2
    assert expected < 0
    assert_close(energy, expected)


def test_gradient_is_that_of_a_constant_gate_and_a_symmetric_filter():
    probabilities, image = _inputs(batch=3)
    region = (torch.rand(3, 12, 10) > 0.3).double()
    gradient = _gradient(probabilities, image, region, scale=1.0)
    gate = (region - probabilities.amax(dim=1).detach()).clamp(min=0)
    filtered = bilateral_filter(image, probabilities.detach() * region.unsqueeze(1))
    assert_close(gradient, -2 / 3 * (region * gate).unsqueeze(1) * filtered)


def test_no_second_derivative():
    probabilities, image = _inputs()
    energy = dense_energy(probabilities, image).square()
    (gradient,) = torch.autograd.grad(energy, probabilities, create_graph=True)
    with pytest.raises(RuntimeError, match='once_differentiable'):
        gradient.sum().backward()


def test_the_filter_has_a_gradient():
    image = torch.rand(1, 3, 2, 3, dtype=torch.float64)
    values = torch.randn(1, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: bilateral_filter(image, v), (values,))


def test_images_have_lattices_of_their_own():
    probabilities, image = _inputs()
    alone = [dense_energy(probabilities[i : i + 1], image[i : i + 1]) for i in range(2)]
    assert_close(dense_energy(probabilities, image), sum(alone) / 2)


def test_on_a_constant_image_only_the_place_counts(plain):
    values = torch.rand(1, 2, 6, 5, dtype=torch.float64)
    flat = torch.full((1, 3, 6, 5), 0.4, dtype=torch.float64)
    wide = bilateral_filter(flat, values, sigma_rgb=1e-3, sigma_xy=2)
    assert_close(wide[0], plain.bilateral_filter(flat[0], values[0], 1e-3, 2))
    everywhere = bilateral_filter(flat, values, sigma_xy=1e12)
    assert_close(everywhere, everywhere.mean(dim=(2, 3), keepdim=True).expand_as(values))


def test_colours_part_what_is_near():
    image = torch.zeros(1, 3, 1, 8)
    image[..., 4:] = 1
    values = (torch.arange(8) < 4).float().expand(1, 1, 1, 8)
    filtered = bilateral_filter(image, values)
    assert filtered[..., :4].min() > 1
    assert filtered[..., 4:].abs().max() == 0


@pytest.mark.parametrize('ignored', [None, torch.zeros(1, 8, 8)])
def test_one_class_is_sure(ignored):
    probabilities, image = torch.ones(1, 1, 8, 8, requires_grad=True), torch.rand(1, 3, 8, 8)
    energy = dense_energy(probabilities, image, ignored=ignored)
    assert energy == 0
    assert torch.autograd.grad(energy, probabilities)[0].abs().max() == 0


def test_where_all_is_ignored_every_pixel_counts_in_full():
    probabilities, image = _inputs()
    ignored = torch.ones(2, 12, 10, dtype=torch.bool)
    energy = dense_energy(probabilities, image, ignored=ignored, scale=1.0)
    filtered = bilateral_filter(image, probabilities)
    assert_close(energy, -(probabilities * filtered).sum() / 2)
    assert energy < dense_energy(probabilities, image, scale=1.0)


def test_outside_the_region_nothing_counts():
    probabilities, image = _inputs()
    ignored = torch.ones(2, 12, 10, dtype=torch.bool)
    region = torch.zeros(2, 12, 10)
    assert dense_energy(probabilities, image, region, ignored) == 0
    region[:, :6] = 1
    gradient = _gradient(probabilities, image, region, ignored)
    assert gradient[:, :, :6].max() < 0
    assert gradient[:, :, 6:].abs().max() == 0
    other = probabilities.detach().clone()
    other[:, :, 6:] = 0
    assert_close(dense_energy(probabilities, image, region), dense_energy(other, image, region))


def test_distances_are_those_of_the_whole_image():
    probabilities, image = _inputs(height=6, width=5)
    double = [F.interpolate(part, scale_factor=2.0) for part in (probabilities, image)]
    half = dense_energy(*double, sigma_xy=6, scale=0.5)
    assert_close(half, dense_energy(probabilities, image, sigma_xy=3, scale=1.0))


def test_precision():
    probabilities, image = _inputs()
    exact = dense_energy(probabilities, image)
    single = dense_energy(probabilities.float(), image.float())
    assert (exact.dtype, single.dtype) == (torch.float64, torch.float32)
    assert_close(single.double(), exact, rtol=1e-4, atol=0)
    assert bilateral_filter(image.float(), image).dtype == torch.float64
    half = dense_energy(probabilities.bfloat16(), image.bfloat16())
    assert half.dtype == torch.float32
    rounded = probabilities.bfloat16().float(), image.bfloat16().float()
    assert_close(half, dense_energy(*rounded), **CLOSE)
    assert _gradient(probabilities, image.float()).dtype == torch.float64


def test_autocast_changes_nothing():
    probabilities, image = _inputs(dtype=torch.float32)
    expected = dense_energy(probabilities, image), _gradient(probabilities, image)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        under = dense_energy(probabilities, image), _gradient(probabilities, image)
    assert_close(under, expected, rtol=0, atol=0)


def test_inputs_are_left_alone():
    probabilities, image = _inputs()
    region, ignored = torch.rand(2, 12, 10) > 0.5, torch.rand(2, 12, 10) > 0.5
    inputs = (probabilities, image, region, ignored)
    before = [part.detach().clone() for part in inputs]
    dense_energy(*inputs).backward()
    assert_close([part.detach() for part in inputs], before, rtol=0, atol=0)


def test_filter_errors():
    image = torch.rand(1, 3, 4, 4)
    with pytest.raises(ValueError, match=r'images \(B, 3, H, W\) and values'):
        bilateral_filter(image, torch.rand(1, 2, 4, 5))
    with pytest.raises(ValueError, match='divide grey levels by 255'):
        bilateral_filter((255 * image).byte(), torch.rand(1, 2, 4, 4))
    for sigmas in ((0, 1), (1, -2)):
        with pytest.raises(ValueError, match='positive standard deviations'):
            bilateral_filter(image, image, *sigmas)


def test_energy_errors():
    image = torch.rand(2, 3, 4, 4)
    for wrong in (torch.rand(1, 3, 4, 4), torch.rand(2, 3, 4, 5), torch.rand(2, 4, 4)):
        with pytest.raises(ValueError, match='of one size'):
            dense_energy(wrong, image)
    for mask in ({'region': torch.ones(2, 2, 2)}, {'ignored': torch.ones(2, 1, 4, 4)}):
        with pytest.raises(ValueError, match='of one size'):
            dense_energy(image, image, **mask)
    for scale in (0, -0.5, 0.2):
        with pytest.raises(ValueError, match='at least one pixel'):
            dense_energy(image, image, scale=scale)
    with pytest.raises(ValueError, match='divide grey levels by 255'):
        dense_energy(image, (255 * image).byte())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')
def test_on_a_gpu():
    probabilities, image = _inputs(dtype=torch.float32)
    moved = probabilities.detach().cuda().requires_grad_(), image.cuda()
    assert_close(dense_energy(*moved).cpu(), dense_energy(probabilities, image), rtol=1e-4, atol=0)
    assert_close(_gradient(*moved).cpu(), _gradient(probabilities, image), rtol=1e-3, atol=1e-6)
