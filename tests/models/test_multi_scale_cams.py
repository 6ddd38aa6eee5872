from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from reference_networks import build, dual_config, random_batch, small_config

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.multi_scale_cams import multi_scale_cams
from wsss_plugin.ops import cam as cam_operations
from wsss_plugin.ops.cam import decoder_cam, multi_scale_cam, normalize_cam


def cams_of(segmentor, image, names, **options):
    main = segmentor.batch(image, []).main
    return multi_scale_cams(segmentor, main, names, segmentor.multi_scale | options)


def test_is_the_operator_on_the_heads_maps():
    segmentor = build(small_config()).eval()
    image = torch.randn(2, 3, 64, 48)
    cams = cams_of(segmentor, image, ['aux', 'final'])
    with torch.no_grad():
        (expected,) = multi_scale_cam(
            lambda x: (segmentor.cams['final'].cam(segmentor.extract_feat(x)),), image
        )
    torch.testing.assert_close(cams['final'], expected)
    assert cams['aux'].shape == (2, 5, 64, 48)
    assert not any(cam.requires_grad for cam in cams.values())


def test_the_decoder_s_cam_at_scale_1_is_that_of_its_logits():
    config = small_config(cams=dict(decoder=dict(type='DecoderCAM')))
    config['labels']['pixel']['cams'] = ((0, ('final',)), (5, ('final', 'decoder')))
    segmentor = build(config)
    runs = []
    segmentor.decode_head.register_forward_hook(lambda *_: runs.append(1))
    image = torch.randn(1, 3, 32, 48)
    main = segmentor.batch(image, []).main
    logits = main.decode_logits
    options = dict(scales=(1.0,), flip=None, normalise=None)
    cam = multi_scale_cams(segmentor, main, ['decoder'], options)['decoder']
    expected = F.interpolate(decoder_cam(logits), size=(32, 48), mode='bilinear')
    torch.testing.assert_close(cam, expected.detach())
    assert len(runs) == 1


def test_a_source_may_be_fused_in_its_own_way():
    own = dict(flip=None, normalise='max', eps=1e-3)
    segmentor = build(small_config(cams=dict(aux=dict(multi_scale=own)))).eval()
    image = torch.randn(1, 3, 32, 32)
    cams = cams_of(segmentor, image, ['aux', 'final'], scales=(1.0,))
    raw = segmentor.batch(image, []).main.raw('aux').detach()
    raw = F.interpolate(raw, size=(32, 32), mode='bilinear').relu()
    torch.testing.assert_close(cams['aux'], normalize_cam(raw, 1e-3, 'max'))
    alone = cams_of(segmentor, image, ['final'], scales=(1.0,))
    torch.testing.assert_close(cams['final'], alone['final'])


def test_a_source_may_have_scales_of_its_own():
    own = dict(scales=(1.0,), flip=None)
    image, names = torch.randn(1, 3, 64, 64), ['aux', 'final']
    segmentor = build(small_config(cams=dict(final=dict(multi_scale=own)))).eval()
    plain = build(small_config()).eval()
    plain.load_state_dict(segmentor.state_dict())
    cams = cams_of(segmentor, image, names, scales=(1.0, 0.5))
    options = dict(scales=(1.0,), flip=None)
    main = plain.batch(image, []).main
    torch.testing.assert_close(
        cams['final'], multi_scale_cams(plain, main, ['final'], options)['final']
    )
    expected = cams_of(plain, image, ['aux'], scales=(1.0, 0.5))
    torch.testing.assert_close(cams['aux'], expected['aux'])


def test_a_frozen_transformer_whose_cams_are_of_the_image_itself_runs_once():
    own = dict(multi_scale=dict(scales=(1.0,), flip=None))
    segmentor = build(dual_config(cams=dict(final=own))).eval()
    image, runs = torch.randn(1, 3, 64, 64), []
    segmentor.backbone.vit.trunk.blocks[0].register_forward_hook(lambda *_: runs.append('vit'))
    segmentor.backbone.cnn.layer1.register_forward_hook(lambda *_: runs.append('cnn'))
    main = segmentor.batch(image, []).main
    main.features(['patch', 'cnn'])
    multi_scale_cams(segmentor, main, ['final', 'cnn'], dict(scales=(1.0, 0.5, 1.5)))
    assert (runs.count('vit'), runs.count('cnn')) == (1, 4)


def test_a_finished_cam_is_taken_as_it_is(monkeypatch):
    segmentor = build(small_config())
    image = torch.randn(1, 3, 32, 32)
    plain = cams_of(segmentor, image, ['final'])['final']
    stored = torch.rand(1, 5, 32, 32)
    aux = segmentor.cams['aux']
    monkeypatch.setattr(aux, 'finished', True, raising=False)
    monkeypatch.setattr(aux, 'raw', lambda *_: stored)
    cams = cams_of(segmentor, image, ['aux', 'final'])
    assert torch.equal(cams['aux'], stored)
    torch.testing.assert_close(cams['final'], plain)


def test_the_backbone_runs_once_a_scale_for_all_sources():
    segmentor = build(dual_config())
    runs = []
    for module in (segmentor.backbone.vit.trunk.patch_embed.proj, segmentor.backbone.cnn.conv1):
        module.register_forward_hook(lambda _module, inputs, _output: runs.append(len(inputs[0])))
    main = segmentor.batch(torch.randn(2, 3, 32, 32), []).main
    main.features(['patch', 'inner.9', 'cnn'])
    del runs[:]
    multi_scale_cams(segmentor, main, ['final', 'aux', 'cnn'], dict(scales=(1.0, 0.5, 1.5)))
    # Mirror images alone at scale 1, by both branches.
    assert runs == [2, 2, 4, 4, 4, 4]
    del runs[:]
    main = segmentor.batch(main.image, []).main
    multi_scale_cams(segmentor, main, ['final', 'aux', 'cnn'], dict(scales=(1.0, 0.5, 1.5)))
    # Images and mirror images together where nothing else reads the images.
    assert runs == [4, 4, 4, 4, 4, 4]


def test_statistics_stay_and_no_path_is_dropped():
    config = dual_config()
    config['backbone']['vit']['model_args']['drop_path_rate'] = 0.9
    segmentor = build(config)
    image = torch.randn(2, 3, 32, 32)
    before = copy.deepcopy(dict(segmentor.backbone.named_buffers()))
    first, again = (
        cams_of(segmentor, image, ['final', 'cnn'], scales=(0.5, 1.5)) for _ in range(2)
    )
    torch.testing.assert_close(first, again)
    for name, buffer in segmentor.backbone.named_buffers():
        assert torch.equal(buffer, before[name]), name
    segmentor.loss(*random_batch())
    norm = segmentor.backbone.cnn.bn1
    assert norm.num_batches_tracked == 1
    assert segmentor.backbone.vit.trunk.blocks[-1].drop_path1.training


def test_an_image_smaller_than_a_patch_at_a_scale():
    segmentor = build(small_config()).double().eval()
    image = torch.randn(1, 3, 16, 24, dtype=torch.float64)
    cam = cams_of(segmentor, image, ['final'], scales=(1.0, 0.5))['final']
    # At both scales there is one patch, which says nothing of places.
    torch.testing.assert_close(cam, torch.zeros(1, 5, 16, 24).double(), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(multi_scale=dict(scales=())), r'positive multi_scale\.scales, received \(\)'),
        (dict(multi_scale=dict(scales=(1.0, 0.0))), r'positive multi_scale\.scales'),
        (dict(multi_scale=dict(flip='mean')), r"multi_scale\.flip.*'mean'"),
        (dict(multi_scale=dict(sizes=(1,))), r'multi_scale\.sizes: expected one of the keys'),
        (
            dict(test_cfg=dict(multi_scale=dict(scales=(-1,)))),
            r'positive test_cfg\.multi_scale\.scales',
        ),
        (dict(test_cfg=dict(multi_scale=dict(flip='no'))), r'test_cfg\.multi_scale\.flip'),
        (
            dict(cams=dict(aux=dict(multi_scale=dict(scale=(1,))))),
            r'cams\.aux\.multi_scale\.scale: expected one of the keys',
        ),
        (
            dict(cams=dict(aux=dict(multi_scale=dict(scales=())))),
            r'positive cams\.aux\.multi_scale\.scales, received \(\)',
        ),
    ],
)
def test_options_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        build(small_config(**changes))


@pytest.mark.parametrize('chunk_size', [1, 3])
def test_in_chunks_the_backbone_sees_few_images_and_the_cams_are_the_same(chunk_size):
    segmentor = build(small_config()).double().eval()
    image = torch.randn(4, 3, 32, 48, dtype=torch.float64)
    whole = cams_of(segmentor, image, ['aux', 'final'])
    seen = []
    segmentor.backbone.trunk.patch_embed.proj.register_forward_hook(
        lambda _module, inputs, _output: seen.append(len(inputs[0]))
    )
    chunks = cams_of(segmentor, image, ['aux', 'final'], chunk_size=chunk_size)
    assert max(seen) == chunk_size
    assert sum(seen) == 3 * 2 * 4  # scales, flips, images
    for name, cam in whole.items():
        torch.testing.assert_close(chunks[name], cam, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('chunk_size', [0, 1.5, 'all'])
def test_a_chunk_is_a_number_of_images(chunk_size):
    config = small_config()
    config['multi_scale'] = dict(config.get('multi_scale') or {}, chunk_size=chunk_size)
    with pytest.raises(ConfigError, match=r'multi_scale\.chunk_size'):
        build(config)


def test_maps_of_classes_that_no_image_has_are_not_resized(monkeypatch):
    segmentor = build(small_config()).eval()
    image = torch.randn(2, 3, 32, 32)
    every = cams_of(segmentor, image, ['final'])['final']
    counts, fuse = [], cam_operations.fuse_cams

    def counted(pairs, *arguments):
        counts.append(pairs[0][0].shape[1])
        return fuse(pairs, *arguments)

    monkeypatch.setattr(cam_operations, 'fuse_cams', counted)
    tags = torch.tensor([[0.0, 1, 0, 0, 0], [0, 1, 0, 1, 0]])
    main = segmentor.batch(image, [SegDataSample(gt_tags=tag) for tag in tags]).main
    options = segmentor.multi_scale | dict(present_only=True)
    cam = multi_scale_cams(segmentor, main, ['final'], options)['final']
    assert counts == [2]
    torch.testing.assert_close(cam[:, [1, 3]], every[:, [1, 3]])
    assert not cam[:, [0, 2, 4]].any()
    torch.testing.assert_close(
        multi_scale_cams(segmentor, main, ['final'], segmentor.multi_scale)['final'], every
    )
    assert counts == [2, 5]


def test_checkpoints_and_chunks_change_no_loss_and_no_gradient():
    results = []
    for checkpointing, chunk_size in ((False, None), (True, 1)):
        torch.manual_seed(0)
        config = dual_config()
        config['backbone']['vit']['grad_checkpointing'] = checkpointing
        config['multi_scale'] = dict(config.get('multi_scale') or {}, chunk_size=chunk_size)
        segmentor = build(config).double()
        inputs, samples = random_batch()
        inputs = {name: view.double() for name, view in inputs.items()}
        losses = segmentor.loss(inputs, samples)
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        gradients = {n: p.grad for n, p in segmentor.named_parameters() if p.grad is not None}
        results.append((losses, gradients))
    (losses, gradients), (again, recomputed) = results
    assert set(losses) == set(again)
    for name, value in losses.items():
        torch.testing.assert_close(again[name], value, rtol=1e-9, atol=1e-12)
    assert set(gradients) == set(recomputed)
    for name, gradient in gradients.items():
        torch.testing.assert_close(recomputed[name], gradient, rtol=1e-6, atol=1e-10)
