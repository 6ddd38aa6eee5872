"""What every loss term keeps to; a term's test class inherits it and says what differs."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import pytest
import torch
from contracts.tiny_network import (
    IMAGES,
    SIDE,
    build,
    directional_derivative,
    empty_samples,
    network,
    part_of,
    samples,
    views,
)
from mmengine.dist import all_reduce
from torch import Tensor
from torch.testing import assert_close

from wsss_plugin.models.pseudo_labels import TrueLabels


class TermContract:
    """Holds for every term.

    Attributes:
        term: Config of the term; its label maker, if it has one, is ``'masks'``.
        parts: Configs of further parts that it reads.
        learns: The parts of the segmentor that its gradient reaches.
        owns: The parts that only it trains.
        label_side: Side of the masks from which it learns.
        label_values: Number of different values of the masks.
        empty_label: What a mask says where there is nothing to learn.
        differentiated: The parts along whose weights the loss has its gradient as derivative; all
            that learn by default.
        derivative: The derivative as a multiple of the gradient, where the latter is stopped.
        tolerance: Their relative difference.
    """

    term: ClassVar[dict[str, Any]]
    parts: ClassVar[dict[str, Any]] = {}
    learns: ClassVar[set[str]]
    owns: ClassVar[set[str]] = set()
    label_side: ClassVar[int] = SIDE
    label_values: ClassVar[int] = 4
    empty_label: ClassVar[int] = 255
    differentiated: ClassVar[set[str] | None] = None
    derivative: ClassVar[float] = 1.0
    tolerance: ClassVar[float] = 1e-4

    def model(self, **changes: Any) -> Any:
        """A segmentor with the term."""
        parts = copy.deepcopy(self.parts)
        parts['labels'] = {**parts.get('labels', {}), 'masks': dict(type='TrueLabels')}
        return build(self.config({**self.term, **changes}, parts)).train()

    def config(self, term: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
        return network(**{**parts, 'terms': {**parts.get('terms', {}), 'term': term}})

    def batch(self, model: Any, inputs: dict[str, Tensor], data_samples: list) -> Any:
        return model.training_batch(inputs, data_samples)

    def main_views(self, batch: Any) -> list[Tensor]:
        return [batch.image]

    def backbones(self, model: Any) -> list[Any]:
        return [model.backbone]

    def samples(self) -> list:
        return samples(self.label_side, self.label_values)

    def empty(self) -> list:
        return empty_samples(self.label_side, self.empty_label)

    def losses(self, model: Any, inputs: Any = None, data_samples: Any = None) -> dict[str, Tensor]:
        inputs = views() if inputs is None else inputs
        data_samples = self.samples() if data_samples is None else data_samples
        return model.terms['term'](self.batch(model, inputs, data_samples))

    def total(self, model: Any, *given: Any) -> Tensor:
        return sum(v for name, v in self.losses(model, *given).items() if name.startswith('loss'))

    @staticmethod
    def reached(model: Any) -> set[str]:
        named = model.named_parameters()
        return {part_of(name) for name, p in named if p.grad is not None and p.grad.any()}

    def losses_of_nothing(self, model: Any, losses: dict[str, Tensor]) -> dict[str, Any]:
        """What the losses are where no image has a tag, a label or a pixel in its box."""
        del model
        # The accuracy among no pixels is up to MMSegmentation.
        return {name: 0.0 for name in losses if name != 'acc_seg'}

    def test_losses_are_weighted_scalars(self):
        losses = self.losses(self.model(weight=1.0))
        weighted = self.losses(self.model(weight=3.0))
        assert any(name.startswith('loss') for name in losses)
        assert weighted.keys() == losses.keys()
        for name, value in losses.items():
            assert value.numel() == 1, name
            assert value.isfinite(), name
            assert value.requires_grad == name.startswith('loss'), name
            assert not name.startswith('loss') or value != 0, name
            assert_close(weighted[name], value * (3 if name.startswith('loss') else 1))

    def test_the_gradient_is_the_derivative(self):
        model = self.model()
        self.total(model).backward()
        assert self.reached(model) == self.learns
        # A teacher that follows its student would be another function of the weights.
        model.eval()
        parts = self.learns if self.differentiated is None else self.differentiated
        taught = [p for name, p in model.named_parameters() if part_of(name) in parts]
        taught = [p for p in taught if p.grad is not None]
        slope = directional_derivative(lambda: self.total(model), taught)
        expected = self.derivative * sum(p.grad.square().sum() for p in taught)
        assert_close(slope, expected, rtol=self.tolerance, atol=1e-9)

    def test_half_precision(self):
        expected = self.losses(self.model())
        model = self.model().float()
        inputs = {name: view.float() for name, view in views().items()}
        with torch.autocast('cpu', torch.bfloat16):
            losses = self.losses(model, inputs)
        for name, value in losses.items():
            assert value.dtype == torch.float32, name
            close = dict(rtol=0.05, atol=0.02 * expected[name].abs().item())
            assert_close(value.double().squeeze(), expected[name].double().squeeze(), **close)
        sum(value for name, value in losses.items() if name.startswith('loss')).backward()
        assert self.reached(model) == self.learns
        exact = self.model()
        self.total(exact).backward()
        received, expected = (
            torch.cat([p.grad.double().flatten() for p in one.parameters() if p.grad is not None])
            for one in (model, exact)
        )
        assert (received - expected).norm() < 0.2 * expected.norm()

    def test_nothing_to_learn_from(self):
        model = self.model()
        losses = self.losses(model, data_samples=self.empty())
        expected = self.losses_of_nothing(model, losses)
        assert expected.keys() >= {name for name in losses if name.startswith('loss')}
        assert_close({name: losses[name].item() for name in expected}, expected)
        sum(value for name, value in losses.items() if name.startswith('loss')).backward()
        named = model.named_parameters()
        gradients = [(part_of(name), p.grad) for name, p in named if p.grad is not None]
        assert {part for part, _ in gradients} >= self.learns
        if not any(expected.values()):
            assert [part for part, gradient in gradients if gradient.any()] == []
        assert [part for part, gradient in gradients if not gradient.isfinite().all()] == []

    def test_a_batch_without_images(self, monkeypatch):
        side, names = self.label_side, self.losses(self.model()).keys()
        # No sample tells the size of its mask, which is not always that of the images.
        monkeypatch.setattr(TrueLabels, 'make', lambda *_: torch.zeros(0, side, side).long())
        model = self.model()
        losses = self.losses(model, views(0), [])
        assert {name: value.item() for name, value in losses.items()} == dict.fromkeys(names, 0)
        sum(value for name, value in losses.items() if name.startswith('loss')).backward()
        named = model.named_parameters()
        gradients = [(part_of(name), p.grad) for name, p in named if p.grad is not None]
        assert {part for part, _ in gradients} >= self.learns
        for part, gradient in gradients:
            assert_close(gradient, torch.zeros_like(gradient), msg=part)

    def test_it_reads_what_it_needs(self):
        """All that carries gradient of the main view is computed before a term reads it."""
        model = self.model()
        batch = self.batch(model, views(), self.samples())
        main = self.main_views(batch)
        for backbone in self.backbones(model):
            backbone.asked.clear()
        model.terms['term'](batch)
        asked = [call for backbone in self.backbones(model) for call in backbone.asked]
        late = [names for image, names in asked if any(image is view for view in main)]
        assert late == []

    @pytest.mark.parametrize('idle', ['skip', 'zero'])
    def test_before_it_begins(self, iteration, idle):
        model = self.model(start=9, idle=idle)
        iteration(0)
        losses = model.loss(views(), self.samples())
        names = set(self.losses(self.model()))
        assert not names & losses.keys()
        zero = idle == 'zero' and bool(self.owns)
        assert losses.get('loss_idle_term', None) == (0 if zero else None)
        model.parse_losses(losses)[0].backward()
        learning = [(part_of(n), p) for n, p in model.named_parameters() if p.requires_grad]
        owned = [parameter.grad for part, parameter in learning if part in self.owns]
        assert bool(owned) == bool(self.owns)
        for gradient in owned:
            assert (gradient is not None and not gradient.any()) if zero else gradient is None
        iteration(9)
        losses = model.loss(views(), self.samples())
        assert names <= losses.keys()
        assert 'loss_idle_term' not in losses

    def test_a_second_iteration_of_an_optimiser_step(self):
        model = self.model()
        first = self.losses(model)
        sum(value for name, value in first.items() if name.startswith('loss')).backward()
        gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
        state = {name: value.clone() for name, value in model.state_dict().items()}
        second = self.losses(model)
        assert_close(second, first)
        sum(value for name, value in second.items() if name.startswith('loss')).backward()
        for name, gradient in gradients.items():
            assert_close(model.get_parameter(name).grad, 2 * gradient, msg=name)
        assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())

    def check_processes(self, rank: int | None) -> None:
        """Losses and gradients of two processes, the second without anything, are one's.

        Args:
            rank: Of this process; None before there are several.
        """
        data_samples = [*self.samples()[: IMAGES // 2], *self.empty()[IMAGES // 2 :]]
        if rank is None:
            self.whole = self._losses_and_gradients(views(), data_samples)
            return
        mine = slice(rank * IMAGES // 2, (rank + 1) * IMAGES // 2)
        inputs = {name: view[mine] for name, view in views().items()}
        losses, gradients = self._losses_and_gradients(inputs, data_samples[mine])
        for value in (*losses.values(), *gradients.values()):
            all_reduce(value, op='mean')
        # The published losses of affinities add a number to counts, which processes do not share.
        assert_close((losses, gradients), self.whole, rtol=1e-5, atol=1e-6)

    def _losses_and_gradients(self, *given: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        model = self.model()
        losses = {n: v for n, v in self.losses(model, *given).items() if n.startswith('loss')}
        sum(losses.values()).backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        return {name: value.detach() for name, value in losses.items()}, gradients
