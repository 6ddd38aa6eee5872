from __future__ import annotations

import pytest
import torch
from reference_networks import build, dual_config, random_batch, tiny_config


def losses_of(segmentor):
    return segmentor.loss(*random_batch())


def touched(module) -> bool:
    return any(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


@pytest.fixture
def crops():
    return dict(size=32)


def test_total_has_every_term_of_equation_13(crops):
    segmentor = build(dual_config(local_crops=crops))
    losses = losses_of(segmentor)
    assert {name for name in losses if 'loss' in name} == {
        'loss_cls_final',
        'loss_cls_aux',
        'loss_cls_cnn',
        'loss_consistency_aux',
        'loss_consistency_final',
        'loss_ptc',
        'loss_ctc',
        'loss_seg',
    }
    total, log = segmentor.parse_losses(losses)
    expected = sum(value for name, value in losses.items() if 'loss' in name)
    torch.testing.assert_close(total, expected)
    torch.testing.assert_close(log['loss'], expected.detach())


@pytest.mark.parametrize('form', ['normalized', 'relu'])
@pytest.mark.parametrize(
    ('detach', 'vit', 'cnn'),
    [('none', True, True), ('first', False, True), ('second', True, False)],
)
def test_consistency_reaches_the_branches_as_intended(crops, form, detach, vit, cnn):
    loss = dict(type='SemanticConsistencyLoss', loss_weight=0.1, detach=detach)
    segmentor = build(dual_config(local_crops=crops, loss_consistency=loss, consistency_cam=form))
    losses = losses_of(segmentor)
    (losses['loss_consistency_aux'] + losses['loss_consistency_final']).backward()
    assert touched(segmentor.backbone.vit) == vit
    assert touched(segmentor.cam_head) == touched(segmentor.aux_cam_head) == vit
    assert touched(segmentor.backbone.cnn) == cnn
    assert touched(segmentor.cnn_cam_head) == cnn
    assert not touched(segmentor.decode_head)


def test_consistency_is_zero_for_equal_cams(crops):
    segmentor = build(dual_config(local_crops=crops))
    inputs, samples = random_batch()
    batch = segmentor.training_batch(inputs, samples)
    cam = batch.raw_cams['final']
    losses = segmentor.consistency_losses(
        batch._replace(raw_cams=dict(final=cam, aux=cam, cnn=cam))
    )
    assert all(value == 0 for value in losses.values())


def test_consistency_of_half_precision_is_that_of_wide_floats(crops):
    segmentor = build(dual_config(local_crops=crops))
    batch = segmentor.training_batch(*random_batch())
    faint = torch.linspace(0, 1e-6, 16).view(1, 1, 4, 4).half().expand(2, 5, 4, 4)
    cams = {name: faint.clone().requires_grad_() for name in ('final', 'aux')}
    cams['cnn'] = faint.flip(-1).clone().requires_grad_()
    losses = segmentor.consistency_losses(batch._replace(raw_cams=cams))
    wide = {name: cam.detach().double() for name, cam in cams.items()}
    for name, expected in segmentor.consistency_losses(batch._replace(raw_cams=wide)).items():
        torch.testing.assert_close(losses[name].double(), expected, rtol=1e-5, atol=0)
    sum(losses.values()).backward()
    assert all(cam.grad.isfinite().all() for cam in cams.values())


def test_prediction_does_not_run_the_cnn():
    segmentor = build(dual_config(test_cfg=dict(mode='whole'))).eval()
    segmentor.backbone.cnn.forward = None
    _, samples = random_batch(images=1)
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 64, 64), samples)[0]
    assert prediction.pred_sem_seg.data.shape == (1, 64, 64)


def test_prediction_offers_all_three_cams():
    segmentor = build(dual_config()).eval()
    _, samples = random_batch(images=1)
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 64, 64), samples)[0]
    assert all(name in prediction for name in ('cam', 'aux_cam', 'cnn_cam'))


@pytest.mark.parametrize('names', [('cnn',), ('final', 'cnn'), ('aux', 'cnn', 'final')])
def test_any_cam_can_make_the_label(crops, names):
    segmentor = build(dual_config(local_crops=crops, label_cams=((0, names),)))
    assert torch.isfinite(losses_of(segmentor)['loss_seg'])


def test_the_cam_of_the_cnn_can_tell_which_tokens_belong_together(crops):
    segmentor = build(dual_config(local_crops=crops, affinity_cams=('aux', 'cnn')))
    assert torch.isfinite(losses_of(segmentor)['loss_ptc'])


def test_without_modulation(crops):
    config = dual_config(local_crops=crops)
    config['backbone']['modulation'] = None
    segmentor = build(config)
    assert len(segmentor.backbone.modulations) == 0
    assert torch.isfinite(losses_of(segmentor)['loss_cls_cnn'])


def test_unknown_form_of_consistency():
    with pytest.raises(ValueError, match='consistency_cam'):
        build(dual_config(consistency_cam='softmax'))


def test_a_backbone_without_cnn_is_refused():
    with pytest.raises(TypeError, match='DualBranchBackbone'):
        build(dual_config(backbone=tiny_config()['backbone']))


def test_classes_of_the_cnn_head_are_checked():
    config = dual_config()
    config['cnn_cam_head']['num_classes'] = 4
    with pytest.raises(ValueError, match='one more'):
        build(config)


@pytest.mark.parametrize(
    ('names', 'idle'),
    [(('final', 'aux'), 'forward_cnn'), (('cnn',), 'forward_tokens')],
)
def test_a_branch_that_no_cam_needs_is_not_run(names, idle, monkeypatch):
    segmentor = build(dual_config())

    def run(_image):
        raise AssertionError('a branch was run for nothing')

    monkeypatch.setattr(segmentor.backbone, idle, run)
    if idle == 'forward_tokens':
        monkeypatch.setattr(segmentor.transformer, idle, run)
    assert list(segmentor.raw_cams(torch.randn(1, 3, 64, 64), names)) == list(names)


@pytest.mark.parametrize('name', ['final', 'aux', 'cnn'])
def test_the_class_prior_weighs_the_classes_of_every_image(name):
    segmentor = build(dual_config(test_cfg=dict(mode='whole', class_prior=name))).eval()
    images = torch.randn(2, 3, 48, 48)
    metas = [dict(img_shape=(48, 48), ori_shape=(48, 48))] * 2
    with torch.no_grad():
        weighed = segmentor.inference(images, metas)
        image_map = segmentor.branch_maps(images, (name,))[name]
        known = segmentor.cam_heads[name](image_map).sigmoid()
        segmentor.test_cfg['class_prior'] = None
        plain = segmentor.inference(images, metas)
    expected = plain.exp()
    expected[:, 1:] *= known[..., None, None]
    torch.testing.assert_close(weighed.exp(), expected)


def test_the_class_prior_of_a_window_is_its_own():
    slide = dict(mode='slide', crop_size=(48, 48), stride=(48, 48), class_prior='cnn')
    segmentor = build(dual_config(test_cfg=slide)).eval()
    image = torch.randn(1, 3, 48, 96)
    with torch.no_grad():
        windows = segmentor.inference(image, [dict(img_shape=(48, 96), ori_shape=(48, 96))])
        segmentor.test_cfg['mode'] = 'whole'
        metas = [dict(img_shape=(48, 48), ori_shape=(48, 48))]
        halves = [segmentor.inference(half, metas) for half in image.chunk(2, dim=-1)]
    torch.testing.assert_close(windows, torch.cat(halves, dim=-1))


def test_a_class_prior_of_an_unknown_cam_is_refused():
    with pytest.raises(ValueError, match=r"class_prior.*'cnn'.*received 'resnet'"):
        build(dual_config(test_cfg=dict(mode='whole', class_prior='resnet')))
