from __future__ import annotations

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmseg.apis import init_model
from mmseg.structures import SegDataSample
from reference_networks import build, dual_config, load_toco, random_batch, tiny_config

from wsss_plugin.models.segmentors import DualBranchSegmentor, LossTerm
from wsss_plugin.ops.cam import average_cams, decoder_cam, multi_scale_cam
from wsss_plugin.ops.labels import refined_pseudo_label

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
def iteration():
    hub = MessageHub.get_current_instance()

    def set_iteration(value: int) -> None:
        hub.update_info('iter', value)

    yield set_iteration
    hub.update_info('iter', 0)


@pytest.fixture
def published(reference, monkeypatch):
    """The reference's network, batch and the two choices that this package corrects."""
    arrays = reference('toco_iteration_tiny')
    config = tiny_config(thresholds=dict(low=0.5, high=0.7), loss_starts=dict(seg=2001))
    segmentor = build(config)
    load_toco(segmentor, arrays)
    seed = int(arrays['torch_seed_for_crops'])
    monkeypatch.setattr(
        segmentor, '_crop_keys', lambda region, _samples: reference_keys(region, seed, 96)
    )
    # The reference cuts its token grid with a box in pixels.
    monkeypatch.setattr(segmentor, 'box_on_grid', lambda box, *_sizes: box)
    return segmentor, arrays, reference_batch(arrays)


def test_cams_labels_and_flags_of_the_reference_iteration(published, monkeypatch):
    segmentor, arrays, (inputs, samples) = published
    # The reference truncates the restored image to whole grey levels, which loses some of them.
    mean, std = segmentor.data_preprocessor.mean, segmentor.data_preprocessor.std
    monkeypatch.setattr(segmentor, 'denormalize', lambda x: (x * std + mean).floor() / 255)
    segmentor.loss_starts['seg'] = 0
    batch = segmentor.training_batch(inputs, samples)
    for name, key in (('final', 'cams'), ('aux', 'cams_aux')):
        cam = batch.cams[name][..., ::2, ::2]
        torch.testing.assert_close(cam, arrays[key], atol=1e-5, rtol=0)
    label = segmentor.pseudo_label(batch)
    assert torch.equal(label, arrays['refined_pseudo_label'].long())
    _, positive = segmentor.local_views(batch)
    assert torch.equal(positive, arrays['flags'][:, 2:].bool())


@pytest.mark.parametrize('number', [0, 3000])
def test_losses_of_the_reference_iteration(published, iteration, number):
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


def test_gradients_of_the_reference_iteration(published, iteration):
    segmentor, arrays, (inputs, samples) = published
    iteration(0)
    total, _ = segmentor.parse_losses(segmentor.loss(inputs, samples))
    total.backward()
    trunk = segmentor.backbone.trunk
    projection = segmentor.projection_head
    received = {
        'encoder.cls_token': trunk.cls_token,
        'encoder.patch_embed.proj.weight': trunk.patch_embed.proj.weight,
        'encoder.blocks.9.mlp.fc2.weight': trunk.blocks[9].mlp.fc2.weight,
        'encoder.blocks.11.mlp.fc2.weight': trunk.blocks[11].mlp.fc2.weight,
        'proj_head.mlp.0.weight': projection.mlp[0].weight,
        'proj_head.last_layer.weight_v': projection.directions.parametrizations.weight.original1,
        'classifier.weight': segmentor.cam_head.classifier.weight,
        'aux_classifier.weight': segmentor.aux_cam_head.classifier.weight,
    }
    for name, parameter in received.items():
        expected = arrays[f'it0.grad.{name}']
        scale = max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(parameter.grad, expected, atol=1e-5 * scale, rtol=0)


def test_multi_scale_cam_of_the_reference(reference):
    arrays = reference('tiny_toco_network')
    segmentor = build(tiny_config()).eval()
    encoder = {k: v for k, v in arrays.items() if k.startswith('w.')}
    load_toco(segmentor, encoder)
    cams = segmentor.multi_scale_cams(arrays['ms_input'], ('final', 'aux'))
    torch.testing.assert_close(cams['final'], arrays['ms_cam'], atol=1e-5, rtol=0)
    torch.testing.assert_close(cams['aux'], arrays['ms_cam_aux'], atol=1e-5, rtol=0)


def test_box_follows_the_grid_in_the_package():
    segmentor = build(tiny_config())
    box = torch.tensor([[16, 136, 0, 160]])
    assert segmentor.box_on_grid(box, (160, 160), (10, 10)).tolist() == [[1, 8, 0, 10]]


def test_crops_do_not_depend_on_the_place_in_the_batch():
    segmentor = build(tiny_config(local_crops=dict(size=32)))
    inputs, samples = random_batch(images=4)
    batch = segmentor.training_batch(inputs, samples)
    crops, positive = segmentor.local_views(batch)
    order = [2, 0, 3, 1]
    permuted = segmentor.training_batch(
        {k: v[order] for k, v in inputs.items()}, [samples[i] for i in order]
    )
    again, positive_again = segmentor.local_views(permuted)
    torch.testing.assert_close(again, crops[order])
    assert torch.equal(positive_again, positive[order])


def test_the_cams_are_not_computed_before_a_loss_needs_them():
    segmentor = build(tiny_config(loss_starts=dict(ptc=9, ctc=9, seg=9)))
    inputs, samples = random_batch()
    assert segmentor.training_batch(inputs, samples).cams == {}
    losses = segmentor.loss(inputs, samples)
    assert sorted(losses) == ['loss_cls_aux', 'loss_cls_final']


def test_label_source_changes_with_the_iteration(iteration):
    segmentor = build(tiny_config(label_cams=((0, ('aux',)), (5, ('final', 'aux')))))
    cams = dict(final=torch.rand(1, 5, 4, 4), aux=torch.rand(1, 5, 4, 4))
    torch.testing.assert_close(segmentor.label_cam(cams), cams['aux'])
    iteration(5)
    fused = segmentor.label_cam(cams)
    assert not torch.allclose(fused, cams['aux'])
    assert fused.amax(dim=(2, 3)).min() > 0.999


def test_the_decode_head_joins_the_cams_that_make_the_label(iteration):
    label_cams = ((0, ('aux',)), (5, ('aux', 'decoder')))
    segmentor = build(tiny_config(label_cams=label_cams, local_crops=dict(size=32)))
    inputs, samples = random_batch()
    assert 'decoder' not in segmentor.training_batch(inputs, samples).cams
    iteration(5)
    batch = segmentor.training_batch(inputs, samples)
    with torch.no_grad():
        (expected,) = multi_scale_cam(
            lambda image: (decoder_cam(segmentor(image)),), inputs['view1'], segmentor.cam_scales
        )
    torch.testing.assert_close(batch.cams['decoder'], expected)
    assert not batch.cams['decoder'].requires_grad
    fused = average_cams([batch.cams['aux'], expected])
    torch.testing.assert_close(segmentor.label_cam(batch.cams), fused)
    assert torch.equal(
        segmentor.pseudo_label(batch),
        segmentor.refined_label(inputs['view1'], fused, batch.tags, batch.box),
    )


def test_the_cam_of_the_decode_head_is_no_prediction_of_its_own():
    test_cfg = dict(mode='whole', cam=True, pseudo_label=True)
    label_cams = ((0, ('final',)), (5, ('final', 'decoder')))
    segmentor = build(tiny_config(label_cams=label_cams, test_cfg=test_cfg)).eval()
    segmentor.thresholds.low, segmentor.thresholds.high = 0.3, 0.4
    image = torch.randn(1, 3, 64, 64)
    _, samples = random_batch(images=1)
    samples[0].set_metainfo(dict(ori_shape=(64, 64), img_shape=(64, 64)))
    (prediction,) = segmentor.predict(image, samples)
    cams = segmentor.multi_scale_cams(image, ('final', 'decoder'))
    fused = average_cams([cams['final'], cams['decoder']])
    expected = segmentor.refined_label(image, fused, prediction.gt_tags[None])
    assert torch.equal(prediction.pseudo_label.data, expected)
    assert {'cam', 'aux_cam'} <= set(prediction.keys())
    assert 'decoder_cam' not in prediction


@pytest.mark.parametrize(
    'label_cams',
    [
        ((0, ('final', 'decoder')),),
        ((0, ('final',)), (9, ('final', 'decoder'))),
        ((0, ('final',)), (10, ('decoder',))),
    ],
)
def test_the_decode_head_does_not_teach_itself_from_nothing(label_cams):
    with pytest.raises(ValueError, match=r"'decoder' in label_cams.*segmentation loss \(9\)"):
        build(tiny_config(label_cams=label_cams, loss_starts=dict(seg=9)))
    label_cams = ((0, ('final',)), (10, ('final', 'decoder')))
    build(tiny_config(label_cams=label_cams, loss_starts=dict(seg=9)))


@pytest.mark.parametrize('tagged', [True, False])
def test_all_losses_are_finite_with_and_without_tags(tagged):
    segmentor = build(tiny_config(local_crops=dict(size=32)))
    inputs, samples = random_batch()
    for sample in samples:
        sample.gt_tags = sample.gt_tags * tagged
        sample.set_metainfo(dict(box=(0, 64, 16, 48)))
    total, log = segmentor.parse_losses(segmentor.loss(inputs, samples))
    total.backward()
    assert all(torch.isfinite(value) for value in log.values())
    gradients = [p.grad for p in segmentor.parameters() if p.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_batch_norm_counts_an_iteration_once():
    config = dual_config(local_crops=dict(size=32), label_cams=((0, ('final', 'cnn')),))
    config['backbone']['modulation']['statistics'] = 'batch'
    config['backbone']['placement'] = 'residual'
    segmentor = build(config)
    inputs, samples = random_batch()
    segmentor.loss(inputs, samples)
    counts = {k: v.item() for k, v in segmentor.state_dict().items() if 'batches_tracked' in k}
    assert any('modulations' in name for name in counts)
    assert set(counts.values()) == {1}


def test_the_classification_cannot_start_late_with_everything_else():
    starts = dict.fromkeys(('cls', 'ptc', 'ctc', 'seg'), 1)
    with pytest.raises(ValueError, match=r"loss from iteration 0 on.*'cls'"):
        build(tiny_config(loss_starts=starts))


def test_a_transformer_without_inner_tokens_is_refused():
    config = tiny_config()
    config['backbone']['inner_blocks'] = ()
    with pytest.raises(ValueError, match='inner_blocks'):
        build(config)


def test_the_contrast_ignores_by_its_own_index():
    segmentor = build(tiny_config(loss_ptc=dict(type='PatchTokenContrastLoss', ignore_index=-1)))
    inputs, samples = random_batch()
    batch = segmentor.training_batch(inputs, samples)
    batch = batch._replace(cams=dict(batch.cams, aux=torch.full_like(batch.cams['aux'], 0.5)))
    assert segmentor.patch_token_losses(batch)['loss_ptc'] == 0.5


def test_views_that_are_not_normalised():
    segmentor = build(tiny_config(data_preprocessor=dict(type='MultiViewDataPreProcessor')))
    image = torch.full((1, 3, 2, 2), 51.0)
    torch.testing.assert_close(segmentor.denormalize(image), torch.full_like(image, 0.2))


def test_prediction_without_tags_makes_no_cam(monkeypatch):
    segmentor = build(tiny_config()).eval()
    monkeypatch.setattr(segmentor, 'multi_scale_cams', None)
    _, (sample, _) = random_batch()
    del sample.gt_tags
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 64, 64), [sample])[0]
    assert 'cam' not in prediction


def test_mmsegmentations_inference_reads_the_config():
    config = Config(dict(model=tiny_config(), test_pipeline=[]))
    model = init_model(config, device='cpu')
    assert type(model).__name__ == 'TokenContrastSegmentor'


def test_constant_images_are_finite():
    segmentor = build(tiny_config(local_crops=dict(size=32)))
    inputs, samples = random_batch()
    inputs = {name: torch.zeros_like(view) for name, view in inputs.items()}
    total, _ = segmentor.parse_losses(segmentor.loss(inputs, samples))
    assert torch.isfinite(total)


def test_odd_sizes_and_prediction_at_original_size():
    segmentor = build(tiny_config()).eval()
    _, samples = random_batch(images=1)
    samples[0].set_metainfo(dict(ori_shape=(45, 77), img_shape=(70, 90)))
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 70, 90), samples)[0]
    assert prediction.pred_sem_seg.data.shape == (1, 45, 77)
    assert prediction.cam.score.shape == prediction.aux_cam.label.shape == (1, 45, 77)
    assert 0 <= prediction.cam.score.min() <= prediction.cam.score.max() <= 1
    assert set(prediction.cam.label.unique().tolist()) == {1}


def test_prediction_without_tags_has_no_cam():
    segmentor = build(tiny_config()).eval()
    with torch.no_grad():
        prediction = segmentor.predict(torch.randn(1, 3, 64, 64), None)[0]
        _, samples = random_batch(images=1)
        del samples[0].gt_tags
        untagged = segmentor.predict(torch.randn(1, 3, 64, 64), samples)[0]
    assert 'cam' not in prediction
    assert 'cam' not in untagged


def test_prediction_with_pseudo_label():
    """It is the training's label of the whole image, by the last of the label CAMs."""
    label_cams = ((0, ('aux',)), (5, ('final', 'aux')))
    test_cfg = dict(mode='whole', pseudo_label=True)
    segmentor = build(tiny_config(label_cams=label_cams, test_cfg=test_cfg)).eval()
    segmentor.thresholds.low, segmentor.thresholds.high = 0.3, 0.4
    image = torch.randn(2, 3, 64, 64)
    _, samples = random_batch()
    for sample in samples:
        sample.set_metainfo(dict(ori_shape=(64, 64), img_shape=(64, 64)))
    del samples[1].gt_tags
    first, second = segmentor.predict(image, samples)
    cams = segmentor.multi_scale_cams(image[:1], ('final', 'aux'))
    expected = refined_pseudo_label(
        segmentor.denormalize(image[:1]),
        average_cams([cams['final'], cams['aux']]),
        first.gt_tags[None],
        low=0.3,
        high=0.4,
        box=None,
        refine=segmentor.refinement,
    )
    assert torch.equal(first.pseudo_label.data, expected)
    assert len(expected.unique()) > 1
    assert 'cam' not in first
    assert 'pseudo_label' not in second


def test_a_pseudo_label_makes_no_other_cams(monkeypatch):
    segmentor = build(tiny_config(test_cfg=dict(mode='whole', pseudo_label=True))).eval()
    asked, make = [], segmentor.multi_scale_cams

    def record(image, names):
        asked.append(names)
        return make(image, names)

    monkeypatch.setattr(segmentor, 'multi_scale_cams', record)
    _, samples = random_batch(images=1)
    segmentor.predict(torch.randn(1, 3, 64, 64), samples)
    assert asked == [('final',)]


def test_teacher_projection_follows_the_student():
    segmentor = build(tiny_config(local_crops=dict(size=32)))
    segmentor.loss(*random_batch())
    with torch.no_grad():
        segmentor.projection_head.mlp[0].weight.add_(1)
    before = segmentor.projection_ema.module.mlp[0].weight.clone()
    segmentor.loss(*random_batch())
    moved = segmentor.projection_ema.module.mlp[0].weight - before
    torch.testing.assert_close(moved, torch.full_like(moved, 0.1))
    assert not any(p.requires_grad for p in segmentor.projection_ema.parameters())


@pytest.mark.parametrize(
    'thresholds', [dict(low=0.7, high=0.25), dict(low=0.5, high=0.5), dict(low=-0.1, high=0.5)]
)
def test_threshold_order_is_checked(thresholds):
    with pytest.raises(ValueError, match='0 <= low < high <= 1'):
        build(tiny_config(thresholds=thresholds))


@pytest.mark.parametrize(
    'label_cams',
    [(), ((1, ('final',)),), ((0, ('cnn',)),), ((0, ()),), ((0, ('aux',)), (0, ('final',)))],
)
def test_label_cams_are_checked(label_cams):
    with pytest.raises(ValueError, match='label_cams'):
        build(tiny_config(label_cams=label_cams))


@pytest.mark.parametrize('affinity_cams', [(), 'aux', ('aux', 'cnn')])
def test_affinity_cams_are_checked(affinity_cams):
    with pytest.raises(ValueError, match=r"affinity_cams as a sequence.*\('final', 'aux'\)"):
        build(tiny_config(affinity_cams=affinity_cams))


def test_the_affinity_cams_label_the_tokens():
    segmentor = build(tiny_config(affinity_cams=('final', 'aux')))
    inputs, samples = random_batch()
    batch = segmentor.training_batch(inputs, samples)
    mean = average_cams([batch.cams['final'], batch.cams['aux']])
    expected = build(tiny_config()).patch_token_losses(
        batch._replace(cams=dict(batch.cams, aux=mean))
    )
    torch.testing.assert_close(segmentor.patch_token_losses(batch), expected)
    other = segmentor.patch_token_losses(
        batch._replace(cams=dict(batch.cams, final=torch.ones_like(mean)))
    )
    assert other['loss_ptc'] != expected['loss_ptc']


@pytest.mark.parametrize(
    ('waiting', 'names'),
    [
        (('seg',), {'final', 'aux'}),
        (('seg', 'ptc'), {'aux'}),
        (('seg', 'ctc'), {'final'}),
        (('ptc', 'ctc'), {'aux'}),
    ],
)
def test_only_the_cams_that_a_loss_reads_are_computed(waiting, names):
    segmentor = build(
        tiny_config(
            affinity_cams=('final',),
            label_cams=((0, ('aux',)),),
            loss_starts=dict.fromkeys(waiting, 9),
        )
    )
    assert set(segmentor.training_batch(*random_batch()).cams) == names


def test_idle_losses_give_their_heads_gradients_of_zero():
    config = tiny_config(local_crops=dict(size=32), loss_starts=dict(ctc=9, seg=9))
    plain, segmentor = build(config), build(dict(config, idle_losses='zero'))
    segmentor.load_state_dict(plain.state_dict())
    inputs, samples = random_batch()
    losses = segmentor.loss(inputs, samples)
    assert losses.pop('loss_idle_ctc') == losses.pop('loss_idle_seg') == 0
    expected = plain.loss(inputs, samples)
    assert losses == expected
    sum(segmentor.loss(inputs, samples).values()).backward()
    sum(expected.values()).backward()
    for name, parameter in segmentor.named_parameters():
        gradient = plain.get_parameter(name).grad
        if gradient is not None:
            torch.testing.assert_close(parameter.grad, gradient)
        elif parameter.requires_grad and name.startswith(('projection_head', 'decode_head')):
            assert not parameter.grad.any()
        else:
            assert parameter.grad is None


def test_idle_losses_leave_a_frozen_head_alone():
    segmentor = build(tiny_config(loss_starts=dict(ptc=9, ctc=9, seg=9), idle_losses='zero'))
    segmentor.decode_head.requires_grad_(False)
    losses = segmentor.loss(*random_batch())
    # A constant would be on the CPU beside losses on a GPU.
    assert {name for name in losses if 'idle' in name} == {'loss_idle_ctc'}
    total, _ = segmentor.parse_losses(losses)
    total.backward()
    assert all(p.grad is None for p in segmentor.decode_head.parameters())


def test_an_unknown_handling_of_idle_losses():
    with pytest.raises(ValueError, match=r"idle_losses in \('skip', 'zero'\), received 'none'"):
        build(tiny_config(idle_losses='none'))


def test_a_new_branch_and_a_new_term_need_a_subclass_only():
    class ThreeBranchSegmentor(DualBranchSegmentor):
        cam_names = (*DualBranchSegmentor.cam_names, 'third')
        runs = 0

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.third_cam_head = copy.deepcopy(self.cam_head)

        @property
        def cam_heads(self):
            return dict(super().cam_heads, third=self.third_cam_head)

        def branch_maps(self, image, names, features=None):
            maps = super().branch_maps(image, names, features)
            if 'third' in names:
                self.runs += 1
                maps['third'] = self.transformer.forward_tokens(image).patch_tokens
            return maps

        def loss_terms(self):
            term = LossTerm(
                lambda batch: dict(loss_third=batch.cams['third'].mean()),
                cams=('third',),
                head='third_cam_head',
            )
            return dict(super().loss_terms(), third=term)

    config = dual_config(loss_starts=dict(ptc=9, ctc=9, seg=9))
    config.pop('type')
    segmentor = ThreeBranchSegmentor(**config)
    losses = segmentor.loss(*random_batch())
    assert {'loss_cls_third', 'loss_third'} <= set(losses)
    runs = segmentor.runs
    assert list(segmentor.raw_cams(torch.randn(1, 3, 64, 64), ('cnn',))) == ['cnn']
    assert segmentor.runs == runs > 1


def test_loss_starts_are_checked():
    with pytest.raises(ValueError, match=r"loss_starts.*'consistency'"):
        build(tiny_config(loss_starts=dict(consistency=3)))


def test_classes_of_the_heads_are_checked():
    config = tiny_config()
    config['decode_head']['num_classes'] = 5
    with pytest.raises(ValueError, match='one more'):
        build(config)


def test_missing_views_are_named():
    segmentor = build(tiny_config())
    inputs, samples = random_batch()
    with pytest.raises(KeyError, match='MultiCropViews'):
        segmentor.loss(inputs['view1'], samples)
    with pytest.raises(KeyError, match="'local'"):
        segmentor.loss(dict(view1=inputs['view1']), samples)
