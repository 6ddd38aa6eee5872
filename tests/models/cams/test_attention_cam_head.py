from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from class_token_networks import (
    MEAN,
    STD,
    cluster_network,
    mctformer_network,
)
from mmseg.structures import SegDataSample
from torch.testing import assert_close

from wsss_plugin.models.cams import AttentionCAMHead, CAMSource

CLOSE = {'atol': 1e-5, 'rtol': 0}


def wave(*shape):
    return (0.05 * torch.arange(torch.Size(shape).numel(), dtype=torch.float64)).sin().view(shape)


def normalised(image):
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (MEAN, STD))
    return (image.float() - mean) / std


@pytest.fixture
def clusters():
    return cluster_network()


@pytest.mark.parametrize(('case', 'shape'), [('sq', (2, 3, 64, 64)), ('rect', (1, 3, 80, 96))])
def test_reference_cluster_cam(reference, clusters, case, shape):
    arrays = {k.removeprefix(f'{case}_'): v for k, v in reference('cluster_network').items()}
    with torch.no_grad():
        batch = clusters.batch(wave(*shape).float(), [])
        assert_close(batch.main.logits('final'), arrays['pat'], **CLOSE)
        assert_close(batch.main.raw('final'), arrays['cam'], **CLOSE)
        assert_close(batch.main.decode_logits, arrays['seg'], **CLOSE)
        source = clusters.cams['final']
        source.spread = None
        features = batch.main.features(source.reads)
        assert_close(source.raw(features), arrays['cam_norefine'], **CLOSE)


def test_reference_multi_scale_cluster_cam(reference, clusters):
    expected = reference('cluster_network')['ms_cam_float64'].double()
    batch = clusters.double().batch(wave(2, 3, 64, 64).float().double(), [])
    (cam,) = batch.cams(['final'])
    assert_close(cam[:, :, ::2, ::2], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize('case', ['sq', 'rect', 'odd'])
def test_reference_mctformer_cam(reference, case):
    arrays = reference('mctformer_v2')
    model = mctformer_network()
    with torch.no_grad():
        main = model.batch(normalised(arrays[f'{case}.image_u8']), []).main
        for key, got in (
            ('patch_logits', main.logits('final')),
            ('n3.refined', main.raw('final')),
        ):
            expected = arrays[f'{case}.{key}']
            assert_close(got, expected, atol=1e-5 * expected.abs().max().item(), rtol=0)


def test_reference_mctformer_cam_with_flip(reference):
    arrays = reference('mctformer_v2')
    picture, label = arrays['ms.picture_u8'], arrays['ms.label']
    image = normalised(picture.permute(2, 0, 1)[None])
    sample = SegDataSample(metainfo=dict(ori_shape=picture.shape[:2]))
    sample.gt_tags = label
    model = mctformer_network()
    (cam,) = model.batch(image, [sample]).cams(['final'])
    assert_close(cam[0, arrays['s1.keys']], arrays['s1.cam'], atol=2e-5, rtol=0)
    (cam,) = model.double().batch(image.double(), [sample]).cams(['final'])
    expected = arrays['s1.cam_float64']
    assert_close(cam[0, arrays['s1.keys'], ::2, ::2], expected, atol=1e-5, rtol=0)


def test_logits_are_the_mean_of_the_map_and_need_no_attention():
    head = AttentionCAMHead(4, 3, kernel_size=1)
    features = dict(patch=torch.randn(2, 4, 3, 5))
    expected = F.linear(
        features['patch'].mean(dim=(2, 3)), head.classifier.weight.flatten(1), head.classifier.bias
    )
    assert_close(head.logits(features), expected)
    assert head.logit_reads == ('patch',)
    assert head.reads == ('patch', 'class_to_patch.mean', 'patch_to_patch')
    assert isinstance(head, CAMSource)


@pytest.mark.parametrize('with_bias', [True, False])
def test_the_bias_of_the_cam(with_bias):
    head = AttentionCAMHead(4, 3, bias_in_cam=with_bias, times=None, spread=None)
    features = dict(patch=torch.randn(2, 4, 3, 5))
    bias = head.classifier.bias if with_bias else None
    expected = F.conv2d(features['patch'], head.classifier.weight, bias, padding=1).relu()
    assert_close(head.raw(features), expected)


def test_classification_computes_no_attention_between_patches(clusters):
    """While only tags are learnt, no map of N x N is written."""
    asked = []
    original = clusters.backbone.forward_features

    def recorded(image, names, *args):
        asked.append(tuple(names))
        return original(image, names, *args)

    clusters.backbone.forward_features = recorded
    sample = SegDataSample()
    sample.gt_tags = torch.tensor([1.0, 0, 0, 1, 0])
    losses = clusters.loss(dict(view1=torch.randn(1, 3, 64, 64)), [sample])
    assert set(losses) == {'loss_cls_cls', 'loss_cls_tokens'}
    assert asked == [('patch', 'class_to_patch', 'class_tokens')]


def test_a_bad_kernel():
    with pytest.raises(ValueError, match='odd kernel_size'):
        AttentionCAMHead(4, 3, kernel_size=2)
