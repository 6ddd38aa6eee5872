"""What every label maker keeps to; a maker's test class inherits it and says what differs."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import torch
from contracts.tiny_network import (
    IMAGES,
    SIDE,
    build,
    empty_samples,
    network,
    samples,
    views,
)

from wsss_plugin.models.pseudo_labels import LabelMaker

IGNORED = 255


class LabelContract:
    """Holds for every label maker.

    Attributes:
        label: Config of the maker.
        heads: Configs of heads that it reads.
        side: Side of its label.
        per_pixel: Whether it can be scored and drawn.
        outside: What it says outside the box; None where it does not ask for the box.
        regions: Whether its values are regions instead of classes.
        reads_tags: Whether its label comes from tags.
    """

    label: ClassVar[dict[str, Any]]
    heads: ClassVar[dict[str, Any]] = {}
    side: ClassVar[int] = SIDE
    per_pixel: ClassVar[bool] = True
    outside: ClassVar[int | None] = IGNORED
    regions: ClassVar[bool] = False
    reads_tags: ClassVar[bool] = True

    def model(self) -> Any:
        """A segmentor with the label maker."""
        parts = copy.deepcopy(dict(labels=dict(label=self.label), heads=self.heads))
        return build(network(**parts))

    def batch(self, model: Any, image: Any = None, data_samples: Any = None) -> Any:
        image = views()['view1'] if image is None else image
        data_samples = samples(self.side) if data_samples is None else data_samples
        return model.batch(image, data_samples)

    def made(self, *given: Any) -> torch.Tensor:
        return self.batch(self.model(), *given).label('label')

    def test_it_is_a_label_maker(self):
        maker = self.model().labels['label']
        assert isinstance(maker, LabelMaker)
        assert maker.per_pixel == self.per_pixel
        assert maker.starts(10)[0] == 0
        assert maker.needs(0, 10) == maker.needs(None, None)

    def test_a_whole_number_for_each_position(self):
        label = self.made()
        assert label.shape == (IMAGES, self.side, self.side)
        assert label.dtype == (torch.uint8 if self.regions else torch.int64)

    def test_only_classes_of_the_image_background_and_ignored(self):
        label, seen = self.made(), set()
        for one, sample in zip(label, samples(), strict=True):
            present = {index + 1 for index, tag in enumerate(sample.gt_tags) if tag}
            possible = {0, 1, 2} if self.regions else {0, IGNORED, *present}
            values = set(one.unique().tolist())
            assert not self.reads_tags or values <= possible
            seen |= values
        assert len(seen) > 2

    def test_no_gradient_whoever_reads_first(self):
        model = self.model()
        batch = self.batch(model)
        assert not batch.label('label').requires_grad
        assert batch.main.raw('final').requires_grad
        assert batch.main.decode_logits.requires_grad

    def test_half_precision(self):
        expected, model = self.made(), self.model().float()
        with torch.autocast('cpu', torch.bfloat16):
            label = self.batch(model, views()['view1'].float()).label('label')
        assert label.dtype == expected.dtype
        assert (label == expected).float().mean() > 0.95

    def test_without_tags_nothing_is_foreground(self):
        data_samples = samples(self.side)
        for sample in data_samples:
            sample.gt_tags.zero_()
        label = self.made(None, data_samples)
        if not self.reads_tags:
            assert torch.equal(label, self.made())
        else:
            assert set(label.unique().tolist()) <= {0, self.outside}
            assert (label == 0).any()

    def test_outside_the_box(self):
        whole = samples(self.side)
        for sample in whole:
            sample.set_metainfo(dict(box=(0, SIDE, 0, SIDE)))
        inside, label = self.made(None, whole), self.made()
        if self.outside is None:
            assert torch.equal(label, inside)
            return
        for index, sample in enumerate(samples(self.side)):
            edge = sample.metainfo['box'][3] * self.side // SIDE
            assert (label[index, :, edge:] == self.outside).all()
            # At the border itself refined and averaged scores see the other side.
            assert (label == inside)[index, :, : max(edge - 1, 0)].float().mean() > 0.9

    def test_everything_ignored(self):
        label = self.made(None, empty_samples(self.side))
        outside = 0 if self.outside is None and self.reads_tags else IGNORED
        assert torch.equal(label, torch.full_like(label, outside))

    def test_a_batch_without_images(self):
        label, other = self.made(views(0)['view1'], []), self.made()
        assert label.shape == (0, *other.shape[1:])
        assert label.dtype == other.dtype
        assert not label.requires_grad

    def test_the_place_in_the_batch_changes_nothing(self):
        order, image, data_samples = [2, 0, 3, 1], views()['view1'], samples(self.side)
        label = self.made()
        turned = self.made(image[order], [data_samples[index] for index in order])
        assert torch.equal(turned, label[order])
        assert torch.equal(self.made(image[:1], data_samples[:1]), label[:1])

    def test_it_reads_what_it_needs(self):
        """After what it needs is known, the backbone sees the main view no more."""
        model = self.model()
        needs = model.labels['label'].needs(0, 10)
        batch = self.batch(model)
        batch.cams(needs.cams)
        heads = [feature for name in needs.heads for feature in model.heads[name].reads]
        batch.main.features((*needs.features, *heads))
        model.backbone.asked.clear()
        batch.label('label')
        names = [asked for image, asked in model.backbone.asked if image is batch.image]
        assert names == []
