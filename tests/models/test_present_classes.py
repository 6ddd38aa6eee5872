from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from reference_networks import build, random_batch, small_config

from wsss_plugin.models import batch as batch_module
from wsss_plugin.models.phase_plan import needs_at
from wsss_plugin.models.present_classes import PresentClasses, present_classes
from wsss_plugin.ops import cam as cam_ops

NAMES = ('pixel', 'token', 'region')


@pytest.fixture
def segmentor():
    built = build(small_config()).double()
    built.thresholds.low, built.thresholds.high = 0.3, 0.5
    return built


def tagged(segmentor, *classes):
    """A batch of two images that have these classes."""
    inputs, samples = random_batch()
    for sample, own in zip(samples, classes, strict=True):
        sample.gt_tags = torch.zeros(5, dtype=torch.float64)
        sample.gt_tags[list(own)] = 1
    return segmentor.batch({name: view.double() for name, view in inputs.items()}, samples)


@pytest.mark.parametrize('classes', [((1, 4), (3,)), ((), ()), ((0, 1, 2, 3, 4), (2,)), ((3,), ())])
@pytest.mark.parametrize('name', NAMES)
def test_labels_are_those_of_all_classes(segmentor, name, classes):
    maker = segmentor.labels[name]
    received = maker.make(tagged(segmentor, *classes))
    maker.of_present_classes = False
    expected = maker.make(tagged(segmentor, *classes))
    assert torch.equal(received, expected)
    assert len(expected.unique()) > (2 if classes[0] else 0)


def test_maps_of_absent_classes_are_not_resized(segmentor, monkeypatch):
    counts = []
    fuse = cam_ops.fuse_cams

    def counted(pairs, *args, **kwargs):
        counts.append(pairs[0][0].shape[1])
        return fuse(pairs, *args, **kwargs)

    monkeypatch.setattr(cam_ops, 'fuse_cams', counted)
    batch = tagged(segmentor, (1, 4), (4,))
    (present,) = batch.cams(['final'], present=True)
    assert counts == [2]
    (whole,) = batch.cams(['final'])
    assert counts == [2, 5]
    torch.testing.assert_close(present, whole[:, [1, 4]], rtol=0, atol=1e-12)
    assert torch.equal(batch.cams(['final'], present=True)[0], present)


def test_known_cams_are_not_made_again(segmentor, monkeypatch):
    batch = tagged(segmentor, (2,), (0,))
    (whole,) = batch.cams(['final'])
    monkeypatch.setattr('wsss_plugin.models.batch.multi_scale_cams', None)
    assert torch.equal(batch.cams(['final'], present=True)[0], whole[:, [0, 2]])


def test_one_reader_of_all_classes_makes_the_maps_of_all(segmentor, monkeypatch):
    segmentor.labels['token'].of_present_classes = False
    passes = []
    found = batch_module.multi_scale_cams

    def counted(*args):
        passes.append(args[-1])
        return found(*args)

    monkeypatch.setattr(batch_module, 'multi_scale_cams', counted)
    batch = tagged(segmentor, (1, 4), (4,))
    batch.needs = needs_at(segmentor, 10**6, 2 * 10**6)
    labels = [batch.label(name) for name in NAMES]
    assert passes == [None]
    del segmentor.labels['token'].of_present_classes
    batch = tagged(segmentor, (1, 4), (4,))
    pairs = zip(NAMES, labels, strict=True)
    assert all(torch.equal(batch.label(name), label) for name, label in pairs)
    assert len(passes) > 1
    assert all(classes is not None for classes in passes[1:])


def test_numbers_of_all_classes():
    tags = torch.tensor([[0, 0, 1, 1], [0, 1, 0, 0]])
    seen = PresentClasses(SimpleNamespace(tags=tags, present_classes=present_classes(tags)))
    label = torch.tensor([[[0, 1, 2, 3, 255]]])
    assert seen.whole_label(label, 255).tolist() == [[[0, 2, 3, 4, 255]]]
    assert seen.whole_label(label.where(label < 255, -1), -1).tolist() == [[[0, 2, 3, 4, -1]]]
