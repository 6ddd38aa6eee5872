"""ToCo as a config gives the CAMs, labels, losses and gradients of the reference implementation."""

from __future__ import annotations

import pytest
import torch
from mmseg.structures import SegDataSample
from reference_networks import build, load_toco, tiny_config

from wsss_plugin.models.batch import Batch
from wsss_plugin.models.pseudo_labels import token_labels

LOSSES = dict(
    loss_cls_final=('cls_loss', 1.0),
    loss_cls_aux=('cls_loss_aux', 1.0),
    loss_ptc=('ptc_loss', 0.2),
    loss_ctc=('ctc_loss', 0.5),
)


def normalized(image: torch.Tensor) -> torch.Tensor:
    mean = torch.tensor((0.485, 0.456, 0.406))[:, None, None]
    std = torch.tensor((0.229, 0.224, 0.225))[:, None, None]
    return (image.float() / 255 - mean) / std


def reference_batch(arrays):
    views = dict(view1='inputs_u8', view2='global_view2_u8', local='local_view_u8')
    inputs = {name: normalized(arrays[key]) for name, key in views.items()}
    samples = []
    for tags, box in zip(arrays['cls_label'], arrays['img_box'].tolist(), strict=True):
        sample = SegDataSample(metainfo=dict(box=tuple(box)))
        sample.gt_tags = tags
        samples.append(sample)
    return inputs, samples


def reference_keys(region: torch.Tensor, seed: int, size: int) -> torch.Tensor:
    """Random keys that choose the crops which the reference drew from one permutation each."""
    torch.manual_seed(seed)
    keys = torch.zeros(region.shape)
    margin = size // 2
    for image, roi in enumerate(region):
        inner = roi[margin : roi.shape[0] - margin, margin : roi.shape[1] - margin]
        candidates = (inner <= 1).nonzero()
        if len(candidates) < 8:
            candidates = torch.ones_like(inner).nonzero()
        chosen = candidates[torch.randperm(len(candidates))[:8]] + margin
        for rank, (row, column) in enumerate(chosen.tolist()):
            keys[image, row, column] = 8 - rank
    return keys


@pytest.fixture
def published(reference, monkeypatch):
    """The reference's network, batch and the two choices that this package corrects."""
    arrays = reference('toco_iteration_tiny')
    config = tiny_config(thresholds=dict(low=0.5), terms=dict(seg=dict(start=2001)))
    segmentor = build(config)
    load_toco(segmentor, arrays)
    seed = int(arrays['torch_seed_for_crops'])

    def random_maps(batch, _size, part=''):
        assert not part
        return reference_keys(batch.label('region'), seed, 96)

    monkeypatch.setattr(Batch, 'random_maps', random_maps)
    # The reference cuts its token grid with a box in pixels.
    monkeypatch.setattr(token_labels, 'scale_box', lambda box, *_sizes: box)
    return segmentor, arrays, reference_batch(arrays)


def test_cams_labels_and_flags(published, monkeypatch):
    segmentor, arrays, (inputs, samples) = published
    # The reference truncates the restored image to whole grey levels, which loses some of them.
    mean, std = segmentor.data_preprocessor.mean, segmentor.data_preprocessor.std
    pictures = (inputs['view1'] * std + mean).floor() / 255
    monkeypatch.setattr(Batch, 'pictures', pictures)
    batch = segmentor.batch(inputs, samples)
    for cam, key in zip(batch.cams(['final', 'aux']), ('cams', 'cams_aux'), strict=True):
        torch.testing.assert_close(cam[..., ::2, ::2], arrays[key], atol=1e-5, rtol=0)
    assert torch.equal(batch.label('pixel'), arrays['refined_pseudo_label'].long())
    _, positive = segmentor.terms['ctc'].crops(batch)
    assert torch.equal(positive, arrays['flags'][:, 2:].bool())


@pytest.mark.parametrize('number', [0, 3000])
def test_losses(published, iteration, number):
    segmentor, arrays, (inputs, samples) = published
    iteration(number)
    losses = segmentor.loss(inputs, samples)
    for name, (key, weight) in LOSSES.items():
        expected = weight * arrays[f'it{number}.{key}']
        torch.testing.assert_close(losses[name], expected, atol=1e-5, rtol=0)
    assert ('loss_seg' in losses) == (number == 3000)
    if number == 3000:
        expected = 0.1 * arrays['it3000.seg_loss']
        torch.testing.assert_close(losses['loss_seg'], expected, atol=1e-5, rtol=0)


def test_gradients(published, iteration):
    segmentor, arrays, (inputs, samples) = published
    iteration(0)
    total, _ = segmentor.parse_losses(segmentor.loss(inputs, samples))
    total.backward()
    trunk = segmentor.backbone.trunk
    projection = segmentor.terms['ctc'].projection_head
    received = {
        'encoder.cls_token': trunk.cls_token,
        'encoder.patch_embed.proj.weight': trunk.patch_embed.proj.weight,
        'encoder.blocks.9.mlp.fc2.weight': trunk.blocks[9].mlp.fc2.weight,
        'encoder.blocks.11.mlp.fc2.weight': trunk.blocks[11].mlp.fc2.weight,
        'proj_head.mlp.0.weight': projection.mlp[0].weight,
        'proj_head.last_layer.weight_v': projection.directions.parametrizations.weight.original1,
        'classifier.weight': segmentor.cams['final'].classifier.weight,
        'aux_classifier.weight': segmentor.cams['aux'].classifier.weight,
    }
    for name, parameter in received.items():
        expected = arrays[f'it0.grad.{name}']
        scale = max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(parameter.grad, expected, atol=1e-5 * scale, rtol=0)


def test_multi_scale_cam(reference):
    arrays = reference('tiny_toco_network')
    segmentor = build(tiny_config()).eval()
    encoder = {k: v for k, v in arrays.items() if k.startswith('w.')}
    load_toco(segmentor, encoder)
    final, aux = segmentor.batch(arrays['ms_input'], []).cams(['final', 'aux'])
    torch.testing.assert_close(final, arrays['ms_cam'], atol=1e-5, rtol=0)
    torch.testing.assert_close(aux, arrays['ms_cam_aux'], atol=1e-5, rtol=0)
