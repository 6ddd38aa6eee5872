"""The dual branch as a config: every term of its total loss, its predictions, its class prior."""

from __future__ import annotations

import pytest
import torch
from reference_networks import build, dual_config, random_batch, small_config


def test_total_has_every_term_of_equation_13():
    segmentor = build(dual_config())
    losses = segmentor.loss(*random_batch())
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


def test_prediction_does_not_run_the_cnn():
    segmentor = build(dual_config(test_cfg=dict(cam=False))).eval()
    image, (_, samples) = torch.randn(1, 3, 64, 64), random_batch(images=1)
    with torch.no_grad():
        expected = segmentor.predict(image, None)[0].seg_logits.data
        segmentor.backbone.cnn.forward = None
        for one in (samples, None):
            found = segmentor.predict(image, one)[0].seg_logits.data
            torch.testing.assert_close(found, expected)


def test_a_label_of_the_transformer_s_cams_does_not_run_the_cnn_either():
    segmentor = build(dual_config(test_cfg=dict(cam=False, pseudo_label=True))).eval()
    segmentor.backbone.cnn.forward = None
    _, samples = random_batch(images=1)
    assert 'pseudo_label' in segmentor.predict(torch.randn(1, 3, 64, 64), samples)[0]


def test_prediction_offers_all_three_cams():
    segmentor = build(dual_config()).eval()
    _, samples = random_batch(images=1)
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 64, 64), samples)[0]
    assert all(name in prediction for name in ('cam', 'aux_cam', 'cnn_cam'))


def test_without_modulation():
    segmentor = build(dual_config(backbone=dict(modulation=None)))
    image = torch.randn(1, 3, 64, 64)
    maps = segmentor.batch(image, []).main.features(['cnn'])['cnn']
    torch.testing.assert_close(maps, segmentor.backbone.cnn(image)[-1])


def test_a_backbone_without_cnn_is_refused():
    config = dual_config()
    config['backbone'] = small_config()['backbone']
    with pytest.raises(ValueError, match=r"model\.cams\.cnn: expected a feature.*received 'cnn'"):
        build(config)


def test_batch_norm_counts_an_iteration_once():
    config = dual_config(labels=dict(pixel=dict(cams=('final', 'cnn'))))
    config['backbone']['modulation']['statistics'] = 'batch'
    config['backbone']['placement'] = 'residual'
    segmentor = build(config)
    segmentor.loss(*random_batch())
    counts = {k: v.item() for k, v in segmentor.state_dict().items() if 'batches_tracked' in k}
    assert any('modulations' in name for name in counts)
    assert set(counts.values()) == {1}


@pytest.mark.parametrize('name', ['final', 'aux', 'cnn'])
def test_the_class_prior_weighs_the_classes_of_every_image(name):
    segmentor = build(dual_config(test_cfg=dict(mode='whole', class_prior=name))).eval()
    images = torch.randn(2, 3, 48, 48)
    metas = [dict(img_shape=(48, 48), ori_shape=(48, 48))] * 2
    with torch.no_grad():
        weighed = segmentor.inference(images, metas)
        known = segmentor.batch(images, []).main.logits(name).sigmoid()
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
