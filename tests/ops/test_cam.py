from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops import class_activation_map, merge_flip, multi_scale_cam, normalize_cam
from wsss_plugin.ops.cam import average_cams, decoder_cam

CLOSE = {'atol': 1e-5, 'rtol': 0}


def test_reference_class_activation_maps(reference):
    arrays = reference('tiny_toco_network')
    cam = class_activation_map(arrays['fmap'], arrays['w.classifier.weight'])
    assert_close(cam, arrays['cam'], **CLOSE)
    aux = arrays['patch_tokens_aux'].transpose(1, 2).unflatten(2, (5, 6))
    aux_cam = class_activation_map(aux, arrays['w.aux_classifier.weight'].flatten(1))
    assert_close(aux_cam, arrays['cam_aux'], **CLOSE)


def test_reference_cams_are_normalised_already(reference):
    cam = reference('tiny_toco_network')['ms_cam']
    assert_close(normalize_cam(cam * 3 + 2), cam, atol=2e-5, rtol=0)


def test_gradient_reaches_features_and_weight():
    features = torch.rand(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(class_activation_map, (features, weight))


def test_normalised_cam_has_gradient():
    cam = torch.rand(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(normalize_cam, (cam,))


def test_normalize_cam_by_image_and_class():
    cam = torch.randn(2, 3, 5, 4)
    normalised = normalize_cam(cam)
    one = cam[1, 2] - cam[1, 2].min()
    assert_close(normalised[1, 2], one / (one.max() + 1e-5))
    assert normalised.min() >= 0
    assert normalised.max() < 1


def test_constant_cam_becomes_zero():
    assert_close(normalize_cam(torch.full((1, 2, 3, 3), 0.7)), torch.zeros(1, 2, 3, 3))


def test_merge_flip_takes_the_larger_after_flipping_back():
    left, right = torch.tensor([[[[3.0, 0.0]]]]), torch.tensor([[[[2.0, 1.0]]]])
    merged = merge_flip(torch.cat((left, right)), (1, 2))
    assert merged.tolist() == [[[[3.0, 2.0]]]]


def test_merge_flip_needs_pairs():
    with pytest.raises(ValueError, match='flipped'):
        merge_flip(torch.rand(3, 1, 2, 2), (2, 2))


def network(image):
    """Two maps of half and quarter size that differ between left and right."""
    kernel = torch.arange(24.0).view(2, 3, 2, 2).sin()
    first = F.conv2d(image, kernel, stride=2)
    return first, F.avg_pool2d(first, 2).square()


def plain_multi_scale_cam(image, scales):
    size = image.shape[-2:]
    totals = [0, 0]
    for scale in scales:
        scaled_size = [int(scale * side) for side in size]
        scaled = F.interpolate(image, scaled_size, mode='bilinear', align_corners=False)
        straight, mirrored = network(scaled), network(scaled.flip(-1))
        for index in range(2):
            one = F.interpolate(straight[index], size, mode='bilinear', align_corners=False)
            two = F.interpolate(mirrored[index], size, mode='bilinear', align_corners=False)
            totals[index] = totals[index] + torch.maximum(one, two.flip(-1)).clamp(min=0)
    return tuple(normalize_cam(total) for total in totals)


@pytest.mark.parametrize('scales', [(1.0,), (1.0, 0.5, 1.5), (0.75, 1.0)])
def test_multi_scale_cam(scales):
    image = torch.randn(2, 3, 18, 23)
    cams = multi_scale_cam(network, image, scales)
    assert_close(cams, plain_multi_scale_cam(image, scales))
    known = multi_scale_cam(network, image, scales, identity=network(image))
    assert_close(known, cams)


def test_known_maps_save_their_pass():
    batches = []

    def counting(image):
        batches.append(len(image))
        return network(image)

    image = torch.randn(2, 3, 16, 16)
    multi_scale_cam(counting, image, (1.0, 0.5), identity=network(image))
    assert batches == [2, 4]


def test_half_precision_maps_are_summed_in_float32():
    cams = multi_scale_cam(
        lambda image: [raw.bfloat16() for raw in network(image)], torch.randn(1, 3, 16, 16)
    )
    assert all(cam.dtype == torch.float32 for cam in cams)


@pytest.mark.parametrize('scales', [(), (1.0, 0.0)])
def test_bad_scales(scales):
    with pytest.raises(ValueError, match='scales'):
        multi_scale_cam(network, torch.rand(1, 3, 8, 8), scales)


def test_bad_channels():
    with pytest.raises(ValueError, match='classifier weight'):
        class_activation_map(torch.rand(1, 3, 2, 2), torch.rand(4, 5))


def test_average_of_cams_is_normalised_and_one_alone_is_kept():
    first, second = torch.rand(2, 1, 2, 3, 3, dtype=torch.float64)
    assert_close(average_cams([first]), first)
    expected = normalize_cam((first + second) / 2)
    assert_close(average_cams([first, second]), expected)


def test_decoder_cam_is_the_softmax_of_a_class_and_the_background():
    logits = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    expected = [F.softmax(logits[:, [0, k]], dim=1)[:, 1] for k in (1, 2, 3)]
    assert_close(decoder_cam(logits), torch.stack(expected, dim=1))


def test_decoder_cam_has_gradient():
    logits = torch.randn(1, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(decoder_cam, (logits,))


def test_decoder_cam_of_half_precision_does_not_overflow():
    logits = torch.tensor([-6e4, 6e4], dtype=torch.float16).view(1, 2, 1, 1)
    cam = decoder_cam(logits)
    assert cam.dtype == torch.float32
    assert_close(cam, torch.ones(1, 1, 1, 1))
