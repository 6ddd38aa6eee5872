"""What every CAM source keeps to; a source's test class inherits it and says what differs."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import pytest
import torch
from contracts.tiny_network import (
    CELL,
    CLASSES,
    IMAGES,
    SIDE,
    WIDTH,
    build,
    directional_derivative,
    network,
    part_of,
    samples,
    views,
)
from torch import Tensor
from torch.testing import assert_close

from wsss_plugin.models.cams import CAMSource


class SourceContract:
    """Holds for every CAM source.

    Attributes:
        source: Config of the source, without the number of classes.
        learns: The parts of the segmentor that the gradient of its CAM reaches.
        signed: Whether its raw CAM may be below zero.
    """

    source: ClassVar[dict[str, Any]]
    learns: ClassVar[set[str]]
    signed: ClassVar[bool] = True

    def model(self) -> Any:
        """A segmentor with the source, whose CAM makes a label."""
        base = dict(type='CAMHead', in_channels=WIDTH, pooling='avg')
        return build(
            network(
                cams=dict(source=copy.deepcopy(self.source), final=base),
                labels=dict(pixel=dict(type='PixelLabels', cams=('final', 'source'))),
            )
        )

    def main(self, model: Any, image: Tensor | None = None, data_samples: Any = None) -> Any:
        image = views()['view1'] if image is None else image
        return model.batch(image, samples() if data_samples is None else data_samples).main

    def test_it_is_a_source(self):
        source = self.model().cams['source']
        assert isinstance(source, CAMSource)
        assert isinstance(source.reads, tuple)
        assert source.num_classes == CLASSES
        assert isinstance(source.multi_scale, dict)

    def test_maps_and_logits_of_all_classes(self):
        model = self.model()
        main, grid = self.main(model), SIDE // CELL
        raw, logits = main.raw('source'), main.logits('source')
        assert raw.shape == (IMAGES, CLASSES, grid, grid)
        assert raw.dtype == torch.float64
        assert (raw.amin() < 0) == self.signed
        assert raw.std(dim=(0, 2, 3)).min() > 0
        if model.cams['source'].classifies:
            assert logits.shape == (IMAGES, CLASSES)
        else:
            assert logits is None

    @pytest.mark.parametrize('read', ['raw', 'logits'])
    def test_the_gradient_is_the_derivative(self, read):
        model = self.model()
        value = getattr(self.main(model), read)('source')
        if value is None or not self.learns:
            assert value is None or not value.requires_grad
            return
        weights = torch.randn_like(value)
        (weights * value).sum().backward()
        taught = {n: p for n, p in model.named_parameters() if p.grad is not None and p.grad.any()}
        parts = {part_of(name) for name in taught}
        assert parts == (self.learns if read == 'raw' else {'backbone', 'cams.source'})
        slope = directional_derivative(
            lambda: (weights * getattr(self.main(model), read)('source')).sum(), taught.values()
        )
        assert_close(slope, sum(p.grad.square().sum() for p in taught.values()), rtol=1e-4, atol=0)

    def test_half_precision(self):
        model = self.model()
        expected = self.main(model).raw('source')
        with torch.autocast('cpu', torch.bfloat16):
            raw = self.main(model.float(), views()['view1'].float()).raw('source')
        assert_close(raw.double(), expected, rtol=0.05, atol=0.03 * expected.abs().max().item())

    def test_images_without_known_tags(self):
        model = self.model()
        raw = self.main(model).raw('source')
        assert_close(self.main(model, data_samples=[]).raw('source'), raw)

    def test_a_batch_without_images(self):
        model = self.model()
        batch = model.batch(views(0)['view1'], [])
        raw, logits = batch.main.raw('source'), batch.main.logits('source')
        assert raw.shape == (0, CLASSES, SIDE // CELL, SIDE // CELL)
        classifies = model.cams['source'].classifies
        assert (None if logits is None else logits.shape) == ((0, CLASSES) if classifies else None)
        assert batch.cams(['source'])[0].shape == (0, CLASSES, SIDE, SIDE)
        if self.learns:
            raw.sum().backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        assert {part_of(name) for name in gradients} >= self.learns
        assert [name for name, gradient in gradients.items() if gradient.any()] == []

    def test_the_place_in_the_batch_changes_nothing(self):
        model, order = self.model(), [2, 0, 3, 1]
        image, data_samples = views()['view1'], samples()
        turned = self.main(model, image[order], [data_samples[index] for index in order])
        assert_close(turned.raw('source'), self.main(model).raw('source')[order])
        alone = self.main(model, image[:1], data_samples[:1])
        assert_close(alone.raw('source'), self.main(model).raw('source')[:1])

    def test_normalised_over_scales_without_gradient(self):
        model, image = self.model(), views()['view1']
        batch = model.batch(image, samples())
        (cam,) = batch.cams(['source'])
        assert cam.shape == (IMAGES, CLASSES, SIDE, SIDE)
        assert not cam.requires_grad
        assert_close(cam.amax(dim=(2, 3)), torch.ones(IMAGES, CLASSES).double(), atol=1e-3, rtol=0)
        assert cam.amin() >= 0
        # Whoever reads first, what carries a gradient keeps it.
        assert batch.main.raw('source').requires_grad == bool(self.learns)
        (mirrored,) = model.batch(image.flip(-1), samples()).cams(['source'])
        assert_close(mirrored, cam.flip(-1))

    def test_one_pass_over_the_main_view_serves_all(self):
        """It reads no feature that it does not name."""
        model = self.model()
        main, names = self.main(model), []
        main.features(dict.fromkeys((*model.cams['final'].reads, *model.cams['source'].reads)))
        _ = main.decode_logits
        model.backbone.asked.clear()
        main.raw('source')
        names = [asked for image, asked in model.backbone.asked if image is main.image]
        assert names == []
