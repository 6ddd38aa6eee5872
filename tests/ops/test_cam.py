from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops import (
    CAMFusion,
    class_activation_map,
    fuse_cams,
    merge_flip,
    multi_scale_cam,
    normalize_cam,
)
from wsss_plugin.ops.cam import average_cams, decoder_cam

CLOSE = {'atol': 1e-5, 'rtol': 0}
PSA = CAMFusion(rounding='nearest', resize='bicubic', relu='raw', flip='sum', normalise='max')
MCTFORMER = PSA.replaced({'normalise': 'minmax', 'eps': 1e-8})


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
    def rounded(image):
        return [raw.bfloat16() for raw in network(image)]

    image = torch.randn(1, 3, 16, 16)
    wide = multi_scale_cam(lambda image: [raw.float() for raw in rounded(image)], image)
    assert_close(multi_scale_cam(rounded, image), wide)


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


def test_reference_fusion_of_psa(reference):
    arrays = reference('psa_cam_fusion')
    straight, mirrored = arrays['cam_list'][::2, None], arrays['cam_list'][1::2, None].flip(-1)
    pairs = list(zip(straight, mirrored, strict=True))
    assert_close(fuse_cams(pairs, (13, 17), PSA)[0], arrays['norm_cam'], **CLOSE)


@pytest.mark.parametrize('share', [0.5, 0.2])
def test_reference_fusion_of_recam(reference, share):
    """The stored maps are sums of both flips, of which each part may have any share."""
    arrays = reference('recam_multiscale')
    sums = [arrays[f'out{index}'][None] for index in range(4)]
    pairs = [(share * one, (1 - share) * one.flip(-1)) for one in sums]
    full = fuse_cams(pairs, (75, 101), PSA.replaced({'multiple': 16}))
    assert_close(full[0], arrays['highres_cam'], **CLOSE)
    strided = fuse_cams(pairs, (19, 26), PSA)
    assert_close(strided[0], arrays['strided_cam'], **CLOSE)
    alone = fuse_cams([(one, None) for one in sums], (19, 26), PSA.replaced({'flip': None}))
    assert_close(alone[0], arrays['strided_cam'], **CLOSE)


def pairs_of(arrays, prefix='', count=1):
    return [
        tuple(arrays[f'{prefix}{half}{index}'] for half in ('straight', 'mirrored'))
        for index in range(count)
    ]


def test_reference_fusion_of_toco(reference):
    arrays = reference('toco_cam_fusion')
    cams = [fuse_cams(pairs_of(arrays, prefix, 3), (64, 64)) for prefix in ('final.', 'aux.')]
    for cam, name in zip(cams, ('ms_cam', 'ms_cam_aux'), strict=True):
        assert_close(cam, reference('tiny_toco_network')[name], **CLOSE)


def test_reference_fusion_of_clustercam(reference):
    """In float64, since the reference's own float32 is 3.2e-5 away from it."""
    arrays = reference('clustercam_cam_fusion')
    cam = fuse_cams(pairs_of(arrays, count=3), (64, 64))[..., ::2, ::2]
    assert_close(cam, arrays['cam_float64'], atol=1e-10, rtol=0)
    assert_close(cam.float(), arrays['cam'], atol=1e-4, rtol=0)


def test_reference_fusion_of_mctformer(reference):
    arrays = reference('mctformer_cam_fusion')
    cam = fuse_cams([(arrays['straight'], arrays['mirrored'])], (52, 67), MCTFORMER)
    assert_close(cam[0, :, ::2, ::2], arrays['cam_float64'], atol=1e-6, rtol=0)


@pytest.mark.parametrize('run', ['voc', 'coco'])
def test_reference_fusion_of_weaktr(reference, run):
    arrays = reference('weaktr_cam_fusion')
    pairs = pairs_of(arrays, f'{run}.', len(arrays[f'{run}.scales']))
    cam = fuse_cams(pairs, (58, 75), MCTFORMER)
    assert_close(cam[0].float(), arrays[f'{run}.cam'], **CLOSE)
    if run == 'voc':
        total = fuse_cams(pairs, (58, 75), MCTFORMER.replaced({'normalise': None}))
        expected = arrays['voc.sum_cam']
        assert_close(total[0].float() / expected.max(), expected / expected.max(), **CLOSE)
    sizes = [list(MCTFORMER.scaled_size((58, 75), float(s))) for s in arrays[f'{run}.scales']]
    assert sizes == arrays[f'{run}.sizes'][::2].tolist()


def test_bicubic_scales_are_those_of_the_pictures(reference):
    arrays, seen = reference('weaktr_cam_fusion'), []
    mean, std = torch.tensor([123.675, 116.28, 103.53]), torch.tensor([58.395, 57.12, 57.375])

    def forward(image):
        seen.append(image)
        return (image,)

    image = (arrays['picture_u8'].permute(2, 0, 1) - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    fusion = MCTFORMER.replaced({'flip': None})
    multi_scale_cam(forward, image[None], (1.2,), fusion=fusion, statistics=(mean, std))
    levels = (seen[0][0] * std.view(3, 1, 1) + mean.view(3, 1, 1)).round()
    different = (levels - arrays['scaled_u8']).abs()
    assert different.max() <= 1
    assert (different > 0).float().mean() < 1e-3
    multi_scale_cam(forward, image[None], (1.2,), fusion=fusion)
    assert seen[1].shape == seen[0].shape
    assert 0.01 < (seen[1] - seen[0]).abs().max() < 0.05


def test_where_maps_are_cut_at_zero():
    straight, mirrored = torch.tensor([[[[3.0, -4.0]]]]), torch.tensor([[[[2.0, -1.0]]]])
    fusion = CAMFusion(flip='sum', normalise=None)
    expected = {'raw': [3.0, 2.0], 'merged': [2.0, 0.0], None: [2.0, -2.0]}
    for relu, values in expected.items():
        cam = fuse_cams([(straight, mirrored)], (1, 2), fusion.replaced({'relu': relu}))
        assert cam.flatten().tolist() == values


def test_maximum_over_scales():
    pairs = [(torch.tensor([[[[1.0, 5.0]]]]), None), (torch.tensor([[[[2.0, 4.0]]]]), None)]
    fusion = CAMFusion(flip=None, over_scales='max', normalise=None)
    assert fuse_cams(pairs, (1, 2), fusion).flatten().tolist() == [2.0, 5.0]


def test_fused_cam_has_gradient():
    maps = torch.randn(2, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    pair = torch.randn(2, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda one, two: fuse_cams([one.split(1), two.split(1)], (4, 5)), (maps, pair)
    )


def test_several_fusions_share_the_passes():
    sizes = []

    def forward(image):
        sizes.append(tuple(image.shape))
        first, second = network(image)
        return {'first': first, 'second': second.relu()}

    image = torch.randn(2, 3, 18, 23)
    fusion = {'first': CAMFusion(), 'second': CAMFusion(relu='raw', flip='sum', normalise='max')}
    cams = multi_scale_cam(forward, image, (1.0, 0.5), fusion=fusion)
    assert sizes == [(4, 3, 18, 23), (4, 3, 9, 11)]
    for index, name in enumerate(('first', 'second')):
        alone = multi_scale_cam(network, image, (1.0, 0.5), fusion=fusion[name])[index]
        assert_close(cams[name], alone)
    in_sequence = multi_scale_cam(network, image, (1.0, 0.5), fusion=list(fusion.values()))
    assert_close(in_sequence, tuple(cams.values()))


def test_another_scaled_image_is_another_pass():
    sizes = []

    def forward(image):
        sizes.append(tuple(image.shape[-2:]))
        return network(image)

    fusion = (CAMFusion(), CAMFusion(rounding='nearest'))
    multi_scale_cam(forward, torch.randn(1, 3, 18, 23), (1.0, 0.5), fusion=fusion)
    assert sizes == [(18, 23), (9, 11), (9, 12)]


def test_without_flip_no_mirror_image_is_seen():
    batches = []

    def counting(image):
        batches.append(len(image))
        return network(image)

    image = torch.randn(2, 3, 16, 16)
    fusion = CAMFusion(flip=None)
    cams = multi_scale_cam(counting, image, (1.0, 0.5), fusion=fusion)
    assert batches == [2, 2]
    known = multi_scale_cam(counting, image, (1.0, 0.5), identity=network(image), fusion=fusion)
    assert batches == [2, 2, 2]
    assert_close(known, cams)


def test_image_below_a_patch_is_enlarged():
    sizes = []

    def patches(image):
        sizes.append(tuple(image.shape[-2:]))
        return (F.conv2d(image, torch.ones(1, 3, 16, 16), stride=16),)

    (cam,) = multi_scale_cam(patches, torch.rand(1, 3, 20, 64), (1.0, 0.5), min_size=16)
    assert sizes == [(20, 64), (16, 32)]
    assert cam.shape == (1, 1, 20, 64)
    known = (torch.zeros(1, 1, 1, 4),)
    multi_scale_cam(patches, torch.rand(1, 3, 9, 64), (1.0,), identity=known, min_size=16)
    assert sizes[-1] == (16, 64)


def test_classes_that_no_image_has_are_zero():
    image = torch.randn(2, 3, 18, 23)
    tags = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    everything = multi_scale_cam(network, image)
    for cam, whole in zip(multi_scale_cam(network, image, tags=tags), everything, strict=True):
        assert_close(cam[:, 0], whole[:, 0])
        assert not cam[:, 1].any()
    for cam in multi_scale_cam(network, image, tags=0 * tags, size=(5, 6)):
        assert cam.shape == (2, 2, 5, 6)
        assert not cam.any()


def test_other_size_of_the_cams():
    image = torch.randn(1, 3, 18, 23)
    (cam, _) = multi_scale_cam(network, image, (1.0,), size=(5, 6), fusion=CAMFusion(flip=None))
    resized = F.interpolate(network(image)[0], (5, 6), mode='bilinear', align_corners=False)
    assert_close(cam, normalize_cam(resized.relu()))


@pytest.mark.parametrize('normalise', ['minmax', 'max'])
def test_empty_map_stays_zero(normalise):
    zeros = torch.zeros(1, 2, 3, 3)
    cam = fuse_cams([(zeros, zeros)], (3, 3), CAMFusion(normalise=normalise, eps=1e-8))
    assert_close(cam, zeros)


def test_fusion_errors():
    image, maps = torch.rand(1, 3, 8, 8), torch.rand(1, 1, 2, 2)
    with pytest.raises(ValueError, match='at least one scale'):
        fuse_cams([], (2, 2))
    with pytest.raises(ValueError, match=r'multi_scale\.flip: .* set flip=None'):
        fuse_cams([(maps, None)], (2, 2))
    with pytest.raises(ValueError, match='fusion: expected one for each of'):
        multi_scale_cam(lambda one: {'a': one}, image, fusion={'b': CAMFusion()})
    with pytest.raises(ValueError, match=r"identity: expected the maps \['a'\], received \['b'\]"):
        multi_scale_cam(lambda one: {'a': one}, image, identity={'b': image})
