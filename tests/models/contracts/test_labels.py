"""Every label maker keeps to the contract; a new one gets a class here."""

from __future__ import annotations

import torch
from contracts.label_contract import LabelContract
from contracts.registered import is_label_maker, registered, types_under_contract
from contracts.tiny_network import AFFINITY_HEAD, CELL, IRN_HEAD, SIDE, samples

from wsss_plugin.models.needs import Needs

GRID = SIDE // CELL


class TestPixelLabels(LabelContract):
    label = dict(type='PixelLabels', cams=('final',), refine=dict(type='PAR', num_iter=2))


class TestPixelLabelsWithoutRefinement(LabelContract):
    label = dict(type='PixelLabels', cams=('final',))


class TestTokenLabels(LabelContract):
    label = dict(type='TokenLabels', cams=('final',))
    side = GRID
    per_pixel = False


class TestRegionMask(LabelContract):
    label = dict(type='RegionMask', cams=('final',))
    outside = None
    per_pixel = False
    regions = True


class TestAlphaLabels(LabelContract):
    label = dict(type='AlphaLabels', cams=('final',), low_alpha=2, high_alpha=8)
    side = GRID
    per_pixel = False


class TestRandomWalkLabels(LabelContract):
    label = dict(type='RandomWalkLabels', cams=('final',), alpha=2, steps=4)
    heads = dict(affinity=AFFINITY_HEAD)
    outside = None


class TestBoundaryWalkLabels(LabelContract):
    label = dict(type='BoundaryWalkLabels', cams=('final',), radius=2, steps=4, threshold=0.5)
    heads = dict(irn=IRN_HEAD)
    outside = None


class FileContract(LabelContract):
    """A maker that reads masks of the data set, on which boxes and tags have been at work."""

    outside = None
    per_pixel = False
    reads_tags = False

    def test_it_is_the_mask(self):
        masks = torch.stack([sample.gt_sem_seg.data[0] for sample in samples()])
        assert torch.equal(self.made(), masks.long())

    def test_it_reads_nothing_of_the_network(self):
        assert self.model().labels['label'].needs(0, 10) == Needs()


class TestTrueLabels(FileContract):
    label = dict(type='TrueLabels')


class TestStoredLabels(FileContract):
    label = dict(type='StoredLabels')

    def batch(self, model, image=None, data_samples=None):
        data_samples = samples(self.side) if data_samples is None else data_samples
        for sample in data_samples:
            sample.set_metainfo(dict(label_dir='labels'))
        return super().batch(model, image, data_samples)


def test_every_label_maker_keeps_to_it():
    assert registered(is_label_maker) == types_under_contract(globals(), LabelContract, 'label')
