from __future__ import annotations

import pytest
import torch
from reference_networks import build, dual_config, random_batch, small_config

from wsss_plugin.models import batch as batch_module
from wsss_plugin.models.needs import Needs


@pytest.fixture
def asked(monkeypatch):
    """The names of the CAMs that each pass over several scales was asked for."""
    names, make = [], batch_module.multi_scale_cams

    def record(model, main, wanted, options, classes):
        names.append(list(wanted))
        return make(model, main, wanted, options, classes)

    monkeypatch.setattr(batch_module, 'multi_scale_cams', record)
    return names


def test_every_piece_is_computed_once(asked):
    segmentor = build(small_config())
    batch = segmentor.batch(*random_batch())
    (cam,) = batch.cams(['final'])
    assert batch.cams(['final'])[0] is cam
    assert batch.cams(['aux', 'final'])[1] is cam
    assert asked == [['final'], ['aux']]
    assert batch.main is batch.main
    assert batch.label('pixel') is batch.label('pixel')
    assert batch.main.raw('final') is batch.main.raw('final')
    assert batch.main.decode_logits is batch.main.decode_logits


def test_one_pass_over_the_scales_for_all_that_will_be_read(asked):
    segmentor = build(small_config())
    inputs, samples = random_batch()
    batch = segmentor.batch(inputs, samples, Needs(cams=('aux', 'final')))
    cams = batch.cams(['final'])
    assert asked == [['aux', 'final']]
    assert cams[0] is batch.cams(['final', 'aux'])[0]


def test_what_carries_gradients_does_so_whoever_reads_first():
    segmentor = build(small_config())
    batch = segmentor.batch(*random_batch())
    main = batch.main
    with torch.no_grad():
        features, raw, logits = main.features(['patch']), main.raw('final'), main.decode_logits
        cam = batch.cams(['final'])[0]
    assert features['patch'].requires_grad
    assert raw.requires_grad
    assert logits.requires_grad
    assert not cam.requires_grad
    with torch.no_grad():
        second = batch.view('view2').features(['class'])['class']
    assert second.requires_grad


def test_a_batch_without_gradient_stays_so():
    segmentor = build(small_config())
    with torch.no_grad():
        batch = segmentor.batch(*random_batch())
    assert not batch.main.raw('final').requires_grad
    assert not batch.view('view2').raw('final').requires_grad


def test_the_backbone_runs_once_for_what_was_planned():
    segmentor = build(dual_config())
    inputs, samples = random_batch()
    runs = []
    segmentor.backbone.vit.trunk.patch_embed.proj.register_forward_hook(lambda *_: runs.append(1))
    needs = Needs(features=('patch', 'inner.9', 'class'), raw=('final', 'aux'), decoder=True)
    batch = segmentor.batch(inputs, samples, needs)
    batch.prepare()
    batch.main.features(['class'])
    batch.main.logits('aux')
    assert len(runs) == 1


@pytest.mark.parametrize(
    'needs', [Needs(features=('class',)), Needs(raw=('aux',)), Needs(decoder=True)]
)
def test_what_carries_gradients_is_computed_before_anything_reads_it(needs):
    segmentor = build(small_config())
    batch = segmentor.batch(*random_batch(), needs)
    batch.prepare()
    segmentor.backbone.forward_features = segmentor.decode_head.forward = None
    assert batch.main.begun
    for name in needs.features:
        assert batch.main.features([name])[name].requires_grad
    for name in needs.raw:
        assert batch.main.raw(name).requires_grad
    assert not needs.decoder or batch.main.decode_logits.requires_grad


def test_pictures_are_the_images_before_normalisation():
    segmentor = build(small_config())
    preprocessor = segmentor.data_preprocessor
    pixels = torch.arange(256.0).view(1, 1, 16, 16).expand(1, 3, -1, -1)
    batch = segmentor.batch((pixels - preprocessor.mean) / preprocessor.std, [])
    torch.testing.assert_close(batch.pictures, pixels / 255)


def test_pictures_of_views_that_are_not_normalised():
    segmentor = build(small_config(data_preprocessor=dict(mean=None, std=None)))
    image = torch.full((1, 3, 2, 2), 51.0)
    pictures = segmentor.batch(image, []).pictures
    torch.testing.assert_close(pictures, torch.full_like(image, 0.2))


def test_the_box_is_the_whole_view_where_none_is_given():
    segmentor = build(small_config())
    inputs, samples = random_batch()
    samples[0].set_metainfo(dict(box=(1, 2, 3, 4)))
    del samples[1].box
    assert segmentor.batch(inputs, samples).box.tolist() == [[1, 2, 3, 4], [0, 64, 0, 64]]


def test_random_maps_belong_to_the_sample_and_to_the_part():
    segmentor = build(small_config())
    inputs, samples = random_batch(images=3)
    batch = segmentor.batch(inputs, samples)
    maps = batch.random_maps((4, 5))
    assert maps.shape == (3, 4, 5)
    turned = segmentor.batch(inputs, samples[::-1]).random_maps((4, 5))
    assert torch.equal(turned.flip(0), maps)
    # What the class token contrast of version 0.1 drew.
    generator = torch.Generator().manual_seed(samples[1].sample_seed)
    assert torch.equal(maps[1], torch.rand(4, 5, generator=generator))
    assert not torch.equal(batch.random_maps((4, 5), 'other'), maps)
    assert torch.equal(batch.random_maps((4, 5), 'other'), batch.random_maps((4, 5), 'other'))


def test_samples_without_a_seed_draw_from_the_global_generator():
    segmentor = build(small_config())
    inputs, samples = random_batch(images=1)
    del samples[0].sample_seed
    batch = segmentor.batch(inputs, samples)
    torch.manual_seed(3)
    first = batch.random_maps((2, 2))
    assert not torch.equal(batch.random_maps((2, 2)), first)
    torch.manual_seed(3)
    assert torch.equal(batch.random_maps((2, 2)), first)


def test_a_missing_view_is_named():
    segmentor = build(small_config())
    with pytest.raises(KeyError, match=r"'strong'.*\['local', 'view1', 'view2'\].*MultiCropViews"):
        segmentor.batch(*random_batch()).view('strong')


def test_a_view_of_its_own_geometry_is_a_pass_of_its_own():
    segmentor = build(small_config())
    inputs, samples = random_batch()
    batch = segmentor.batch(dict(inputs, strong=torch.randn(2, 3, 32, 48)), samples)
    assert batch.view('strong').features(['patch'])['patch'].shape[-2:] == (2, 3)
    assert batch.view('strong') is not batch.main
    assert batch.view('view1') is batch.main


def test_scales_of_a_prediction_may_differ():
    segmentor = build(small_config(test_cfg=dict(multi_scale=dict(scales=(1.0,), flip=None))))
    inputs, samples = random_batch()
    trained = segmentor.batch(inputs, samples, iteration=0).cams(['final'])[0]
    predicted = segmentor.batch(inputs, samples).cams(['final'])[0]
    segmentor.test_cfg.pop('multi_scale')
    assert torch.equal(segmentor.batch(inputs, samples).cams(['final'])[0], trained)
    segmentor.multi_scale = dict(scales=(1.0,), flip=None)
    assert torch.equal(segmentor.batch(inputs, samples).cams(['final'])[0], predicted)
    assert not torch.allclose(predicted, trained)


def test_images_without_samples_have_no_tags():
    segmentor = build(small_config())
    inputs, _ = random_batch()
    with pytest.raises(KeyError, match=r'gt_tags for each of the 2 images, received no sample'):
        _ = segmentor.batch(inputs, []).tags
