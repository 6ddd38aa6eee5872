"""A segmentor made of parts as a whole: losses, predictions, errors."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.config import Config
from mmseg.apis import init_model
from reference_networks import (
    build,
    cam_config,
    dual_config,
    random_batch,
    small_config,
    tiny_config,
)

from wsss_plugin.models import batch as batch_module
from wsss_plugin.ops.cam import average_cams
from wsss_plugin.ops.labels import refined_pseudo_label


@pytest.fixture
def asked(monkeypatch):
    """The names of the CAMs that each pass over several scales was asked for."""
    names, make = [], batch_module.multi_scale_cams

    def record(model, main, wanted, options, classes):
        names.append(set(wanted))
        return make(model, main, wanted, options, classes)

    monkeypatch.setattr(batch_module, 'multi_scale_cams', record)
    return names


def test_cams_are_not_computed_before_a_term_needs_them(asked):
    starts = {name: dict(start=9) for name in ('ptc', 'ctc', 'seg')}
    segmentor = build(small_config(terms=starts))
    losses = segmentor.loss(*random_batch())
    assert sorted(losses) == ['loss_cls_aux', 'loss_cls_final']
    assert not asked


@pytest.mark.parametrize(
    ('waiting', 'names'),
    [
        ((), {'final', 'aux'}),
        (('seg',), {'final', 'aux'}),
        (('seg', 'ptc'), {'aux'}),
        (('seg', 'ctc'), {'final'}),
        (('ptc', 'ctc'), {'aux'}),
    ],
)
def test_only_the_cams_that_a_term_reads_are_computed(asked, waiting, names):
    segmentor = build(
        small_config(
            labels=dict(token=dict(cams=('final',)), pixel=dict(cams=('aux',))),
            terms={name: dict(start=9) for name in waiting},
        )
    )
    segmentor.loss(*random_batch())
    assert asked == [names]


def constant_images(inputs, samples):
    return {name: torch.zeros_like(view) for name, view in inputs.items()}, samples


def one_image_of_odd_sides(inputs, samples):
    samples[0].set_metainfo(dict(box=(0, 57, 0, 49)))
    return {name: view[:1, :, :57, :49] for name, view in inputs.items()}, samples[:1]


@pytest.mark.parametrize('changed', [constant_images, one_image_of_odd_sides])
def test_losses_of_unusual_images_are_those_of_the_plain_formulation(plain, changed):
    segmentor = build(small_config()).double()
    inputs, samples = changed(*random_batch())
    inputs = {name: view.double() for name, view in inputs.items()}
    expected = plain.training_losses(copy.deepcopy(segmentor), inputs, samples)
    losses = segmentor.loss(inputs, samples)
    torch.testing.assert_close({name: losses[name] for name in expected}, expected)


def test_odd_sizes_and_prediction_at_original_size():
    segmentor = build(small_config()).eval()
    _, samples = random_batch(images=1)
    samples[0].set_metainfo(dict(ori_shape=(45, 77), img_shape=(70, 90)))
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 70, 90), samples)[0]
    assert prediction.pred_sem_seg.data.shape == (1, 45, 77)
    assert prediction.cam.score.shape == prediction.aux_cam.label.shape == (1, 45, 77)
    assert 0 <= prediction.cam.score.min() <= prediction.cam.score.max() <= 1
    assert set(prediction.cam.label.unique().tolist()) == {1}


def test_prediction_without_tags_has_no_cam(asked):
    segmentor = build(small_config()).eval()
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 64, 64), None)[0]
        _, samples = random_batch(images=1)
        del samples[0].gt_tags
        untagged = segmentor.predict(torch.randn(1, 3, 64, 64), samples)[0]
    assert 'cam' not in prediction
    assert 'cam' not in untagged
    assert not asked


def test_prediction_with_pseudo_label():
    """It is the training's label of the whole image, by the last of the label CAMs."""
    labels = dict(pixel=dict(cams=((0, ('aux',)), (5, ('final', 'aux')))))
    test_cfg = dict(cam=False, pseudo_label=True)
    segmentor = build(small_config(labels=labels, test_cfg=test_cfg)).eval()
    segmentor.thresholds.low, segmentor.thresholds.high = 0.3, 0.4
    image = torch.randn(2, 3, 64, 64)
    _, samples = random_batch()
    del samples[1].gt_tags
    first, second = segmentor.predict(image, samples)
    batch = segmentor.batch(image[:1], samples[:1])
    expected = refined_pseudo_label(
        batch.pictures,
        average_cams(batch.cams(['final', 'aux'])),
        first.gt_tags[None],
        low=0.3,
        high=0.4,
        box=None,
        refine=segmentor.labels['pixel'].refine,
    )
    assert torch.equal(first.pseudo_label.data, expected)
    assert len(expected.unique()) > 1
    assert 'cam' not in first
    assert 'pseudo_label' not in second


def test_a_pseudo_label_makes_no_other_cams(asked):
    segmentor = build(small_config(test_cfg=dict(cam=False, pseudo_label=True))).eval()
    _, samples = random_batch(images=1)
    segmentor.predict(torch.randn(1, 3, 64, 64), samples)
    assert asked == [{'final'}]


def test_labels_of_several_makers_have_their_names():
    second = dict(type='PixelLabels', cams=('aux',))
    config = small_config(labels=dict(coarse=second), test_cfg=dict(cam=False, pseudo_label=True))
    _, samples = random_batch(images=1)
    prediction = build(config).eval().predict(torch.randn(1, 3, 64, 64), samples)[0]
    assert {'pixel_pseudo_label', 'coarse_pseudo_label'} <= set(prediction.keys())
    assert 'pseudo_label' not in prediction


def test_the_cam_of_the_decode_head_is_no_prediction_of_its_own(asked):
    config = small_config(
        cams=dict(decoder=dict(type='DecoderCAM')),
        labels=dict(pixel=dict(cams=((0, ('final',)), (5, ('final', 'decoder'))))),
        test_cfg=dict(pseudo_label=True),
    )
    segmentor = build(config).eval()
    assert segmentor.cam_names == ('aux', 'final')
    _, samples = random_batch(images=1)
    (prediction,) = segmentor.predict(torch.randn(1, 3, 64, 64), samples)
    assert asked == [{'final', 'aux', 'decoder'}]
    assert {'cam', 'aux_cam', 'pseudo_label'} <= set(prediction.keys())
    assert 'decoder_cam' not in prediction


def test_sliding_windows_and_flips_of_the_toolbox():
    slide = dict(mode='slide', crop_size=(48, 48), stride=(32, 32), cam=False)
    segmentor = build(small_config(test_cfg=slide)).eval()
    _, samples = random_batch(images=1)
    samples[0].set_metainfo(dict(flip=True, flip_direction='horizontal'))
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        logits = segmentor.predict(image, samples)[0].seg_logits.data
        windows = segmentor.slide_inference(image, [dict(img_shape=(64, 64))])
        whole = segmentor.whole_inference(image, [dict(img_shape=(64, 64))])
    torch.testing.assert_close(logits, windows[0].flip(-1))
    assert not torch.allclose(windows, whole, atol=1e-3)


def test_forward_gives_the_decode_head_s_logits():
    segmentor = build(small_config()).eval()
    image = torch.randn(1, 3, 32, 48)
    logits = segmentor(image, mode='tensor')
    torch.testing.assert_close(logits, segmentor.decode_head(segmentor.extract_feat(image)))


def test_mmsegmentations_inference_reads_the_config():
    for config in (tiny_config(), cam_config()):
        model = init_model(Config(dict(model=config, test_pipeline=[])), device='cpu')
        assert type(model).__name__ == 'WeakSegmentor'


def test_missing_views_are_named():
    segmentor = build(small_config())
    inputs, samples = random_batch()
    with pytest.raises(KeyError, match='MultiCropViews'):
        segmentor.loss(inputs['view1'], samples)
    with pytest.raises(KeyError, match="'local'"):
        segmentor.loss(dict(view1=inputs['view1']), samples)


def test_the_main_view_may_have_another_name():
    segmentor = build(small_config(main_view='weak'))
    inputs, samples = random_batch()
    expected = build(small_config())
    expected.load_state_dict(segmentor.state_dict())
    expected = expected.loss(inputs, samples)
    inputs['weak'] = inputs.pop('view1')
    torch.testing.assert_close(segmentor.loss(inputs, samples), expected)
    del inputs['weak']
    with pytest.raises(KeyError, match="'weak'"):
        segmentor.loss(inputs, samples)


@pytest.mark.parametrize(
    'thresholds', [dict(low=0.7, high=0.25), dict(low=0.5, high=0.5), dict(low=-0.1, high=0.5)]
)
def test_threshold_order_is_checked(thresholds):
    with pytest.raises(ValueError, match=r'0 <= low < high <= 1 for model\.thresholds'):
        build(small_config(thresholds=thresholds))


def test_a_new_branch_and_a_new_term_need_a_config_only():
    third = dict(type='CAMHead', reads='cnn.layer3', in_channels=32, pooling='avg')
    term = dict(
        type='ConsistencyTerm',
        pairs=(('third', 'cnn'),),
        loss=dict(type='SemanticConsistencyLoss', loss_name='loss_unused'),
    )
    segmentor = build(dual_config(cams=dict(third=third), terms=dict(third=term)))
    losses = segmentor.loss(*random_batch())
    assert {'loss_cls_third', 'loss_consistency_third_third'} <= set(losses)


def test_the_cam_of_a_cnn_alone_is_taught():
    segmentor = build(cam_config())
    inputs, samples = random_batch()
    loss = segmentor.loss(inputs['view1'], samples)['loss_cls']
    loss.backward()
    assert segmentor.backbone.conv1.weight.grad.abs().sum() > 0


def test_without_decode_head_the_prediction_is_the_thresholded_cam():
    segmentor = build(cam_config(test_cfg=dict(cam_threshold=0.4))).eval()
    inputs, samples = random_batch()
    with torch.no_grad():
        predictions = segmentor.predict(inputs['view1'], samples)
    for index, prediction in enumerate(predictions):
        label, score = prediction.pred_sem_seg.data, prediction.cam.score
        assert torch.equal(label > 0, score > 0.4)
        assert set(label.unique().tolist()) <= {0, index + 1}


def test_without_decode_head_other_cams_and_labels_are_predicted_on_request():
    labels = dict(pixel=dict(type='PixelLabels', cams=('final',)))
    asked = dict(cam=True, pseudo_label=True)
    segmentor = build(cam_config(labels=labels, test_cfg=asked)).eval()
    inputs, samples = random_batch()
    with torch.no_grad():
        prediction = segmentor.predict(inputs['view1'], samples)[0]
    high = segmentor.thresholds.high
    assert torch.equal(prediction.pseudo_label.data == 1, prediction.cam.score > high)
    segmentor.test_cfg.pseudo_label = False
    with torch.no_grad():
        assert 'pseudo_label' not in segmentor.predict(inputs['view1'], random_batch()[1])[0]


def test_without_decode_head_an_image_without_tags_is_background():
    segmentor = build(cam_config()).eval()
    inputs, samples = random_batch(images=1)
    samples[0].gt_tags.zero_()
    with torch.no_grad():
        prediction = segmentor.predict(inputs['view1'], samples)[0]
    assert prediction.pred_sem_seg.data.sum() == 0


def test_without_decode_head_a_prediction_needs_tags():
    segmentor = build(cam_config()).eval()
    inputs, _ = random_batch(images=1)
    with pytest.raises(KeyError, match='gt_tags'):
        segmentor.predict(inputs['view1'], None)


def test_without_decode_head_forward_gives_the_classification_logits():
    segmentor = build(cam_config()).eval()
    image = torch.randn(1, 3, 64, 64)
    (maps,) = segmentor.extract_feat(image)
    torch.testing.assert_close(maps, segmentor.backbone(image)[-1])
    logits = segmentor.cams['final'](maps)
    torch.testing.assert_close(segmentor(image, mode='tensor'), logits)
