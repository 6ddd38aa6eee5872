from __future__ import annotations

import pytest
import torch
from mmseg.registry import MODELS
from reference_networks import build, dual_config, random_batch, small_config
from torch import nn

from wsss_plugin.models import batch as batch_module
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.pseudo_labels import CAMLabelMaker, LabelFilter
from wsss_plugin.ops.cam import average_cams, decoder_cam, multi_scale_cam
from wsss_plugin.ops.labels import refined_pseudo_label


@MODELS.register_module(force=True)
class TestOnlyShift(nn.Module):
    """A label filter that adds to the label, or multiplies it."""

    __test__ = False

    def __init__(self, add=0, times=1):
        super().__init__()
        self.add = add
        self.times = times

    def forward(self, batch, label):
        assert batch.tags.shape == (2, 5)
        assert not torch.is_grad_enabled()
        return label * self.times + self.add


class Keep(CAMLabelMaker):
    """Keeps what it is given."""

    def label(self, batch, cam, low, high):
        del batch
        self.seen = cam, low, high
        return cam.clone()


class Cams:
    """A batch of known CAMs."""

    def __init__(self, iteration=None, thresholds=None):
        self.iteration, self.max_iters = iteration, 20
        self.thresholds = thresholds or build(small_config()).thresholds
        self.tags = torch.eye(5)[:2]
        self.known = {name: torch.rand(2, 5, 4, 4) for name in ('final', 'aux')}

    def cams(self, names):
        return [self.known[name] for name in names]


@pytest.mark.parametrize(
    ('iteration', 'names'), [(0, ['aux']), (5, ['final', 'aux']), (None, ['final', 'aux'])]
)
def test_the_cams_change_with_the_iteration(iteration, names):
    batch, maker = Cams(iteration), Keep(((0, ('aux',)), (5, ('final', 'aux'))))
    expected = average_cams(batch.cams(names))
    torch.testing.assert_close(maker.make(batch), expected)
    assert maker.needs(iteration, None).cams == tuple(names)
    assert maker.starts(None) == (0, 5)
    if len(names) > 1:
        assert expected.amax(dim=(2, 3)).min() > 0.999


def test_one_call_may_name_other_cams_and_thresholds():
    batch, maker = Cams(), Keep(('aux',))
    maker.make(batch)
    assert maker.seen[1:] == (0.25, 0.7)
    maker.make(batch, cams=('final',), low=0.1, high=0.2)
    torch.testing.assert_close(maker.seen[0], batch.known['final'])
    assert maker.seen[1:] == (0.1, 0.2)
    maker.make(batch, low=0.0, high=0.9)
    assert maker.seen[1:] == (0.0, 0.9)


def test_thresholds_are_the_segmentor_s_unless_a_maker_has_its_own():
    config = small_config(labels=dict(token=dict(thresholds=dict(low=0.1, high=0.2))))
    segmentor = build(config)
    segmentor.thresholds.high = 0.5
    batch = segmentor.batch(*random_batch())
    own, shared = (
        segmentor.labels[name].thresholds or batch.thresholds for name in ('token', 'region')
    )
    assert (own.low, own.high) == (0.1, 0.2)
    assert shared is segmentor.thresholds
    with pytest.raises(ValueError, match=r'low < high.*model\.labels\.<name>\.thresholds'):
        build(small_config(labels=dict(token=dict(thresholds=dict(low=0.5, high=0.2)))))


@pytest.mark.parametrize('name', ['pixel', 'token', 'region'])
def test_a_threshold_for_each_class_is_that_of_the_images_largest(name):
    segmentor = build(small_config(thresholds=dict(low=0.1, high=(0.2, 0.4, 0.9, 0.9, 0.9))))
    inputs, samples = random_batch()
    samples[0].gt_tags[:] = torch.tensor([1.0, 1, 0, 0, 0])
    samples[1].gt_tags[:] = torch.tensor([1.0, 0, 0, 0, 0])
    batch = segmentor.batch(inputs, samples)
    maker = segmentor.labels[name]
    received = maker.make(batch)
    assert torch.equal(received[0], maker.make(batch, high=0.4)[0])
    assert torch.equal(received[1], maker.make(batch, high=0.2)[1])
    assert not torch.equal(received, maker.make(batch, high=0.9))


def test_filters_are_applied_by_sorted_name():
    shift = dict(type='TestOnlyShift')
    one, two = dict(shift, add=1), dict(shift, times=2)
    results = []
    for filters in (dict(b=two, a=one), dict(b=one, a=two), dict(b=None, a=two)):
        torch.manual_seed(0)
        segmentor = build(small_config(labels=dict(region=dict(filters=filters))))
        assert all(isinstance(f, LabelFilter) for f in segmentor.labels['region'].filters.values())
        batch = segmentor.batch(*random_batch())
        results.append(batch.label('region').int())
    plain = results[2] // 2
    assert torch.equal(results[0], (plain + 1) * 2)
    assert torch.equal(results[1], plain * 2 + 1)


def test_names_of_filters_are_checked():
    filters = {'a.b': dict(type='TestOnlyShift')}
    with pytest.raises(ValueError, match=r"model\.labels\.<name>\.filters.*'a\.b'"):
        build(small_config(labels=dict(region=dict(filters=filters))))


def test_a_filter_may_read_more():
    class Reader(nn.Module):
        def needs(self, iteration, max_iters):
            del iteration, max_iters
            return Needs(raw=('final',), views=('strong',))

        def forward(self, batch, label):
            del batch
            return label

    maker = Keep(('aux',))
    maker.filters['reader'] = Reader()
    needs = maker.needs(0, None)
    assert (needs.cams, needs.raw, needs.views) == (('aux',), ('final',), ('strong',))


def test_the_decode_head_joins_the_cams_that_make_the_label(iteration):
    config = small_config(
        cams=dict(decoder=dict(type='DecoderCAM')),
        labels=dict(pixel=dict(cams=((0, ('aux',)), (5, ('aux', 'decoder'))))),
    )
    segmentor = build(config)
    inputs, samples = random_batch()
    asked = []

    def record(model, main, names, options, classes):
        asked.append(set(names))
        return make(model, main, names, options, classes)

    make = batch_module.multi_scale_cams
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_module, 'multi_scale_cams', record)
        segmentor.loss(inputs, samples)
        iteration(5)
        segmentor.loss(inputs, samples)
    assert asked == [{'aux'}, {'aux', 'decoder'}]
    batch = segmentor.batch(inputs, samples, iteration=5)
    aux, decoder = batch.cams(['aux', 'decoder'])
    with torch.no_grad():
        (expected,) = multi_scale_cam(
            lambda image: (decoder_cam(segmentor(image)),), inputs['view1']
        )
    torch.testing.assert_close(decoder, expected)
    assert not decoder.requires_grad
    label = refined_pseudo_label(
        batch.pictures,
        average_cams([aux, expected]),
        batch.tags,
        0.25,
        0.7,
        batch.box,
        refine=segmentor.labels['pixel'].refine,
    )
    assert torch.equal(batch.label('pixel'), label)


@pytest.mark.parametrize('names', [('cnn',), ('final', 'cnn'), ('aux', 'cnn', 'final')])
def test_any_cam_can_make_the_label(names):
    segmentor = build(dual_config(labels=dict(pixel=dict(cams=names))))
    batch = segmentor.batch(*random_batch(), iteration=0)
    cam, refine = average_cams(batch.cams(names)), segmentor.labels['pixel'].refine
    expected = refined_pseudo_label(
        batch.pictures, cam, batch.tags, 0.25, 0.7, batch.box, refine=refine
    )
    assert torch.equal(batch.label('pixel'), expected)
