"""The package's training and evaluation beside the plain formulation, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_plugin.cam_fields import cam_field
from wsss_plugin.engine.benchmark.comparison import Comparison
from wsss_plugin.engine.benchmark.part_timer import PartTimer
from wsss_plugin.engine.benchmark.report_text import say_progress
from wsss_plugin.engine.benchmark.trainee import VARIANTS, Trainee

_TOLERANCE = 1e-3


def largest_difference(values: Mapping[str, float], others: Mapping[str, float]) -> float:
    """Largest relative difference of losses.

    Raises:
        ValueError: If the losses have other names or differ by more than the tolerance.
    """
    if values.keys() != others.keys():
        raise ValueError(
            f'expected the same losses of both variants, received {sorted(values)} and '
            f'{sorted(others)}; bring tests/plain_formulations.py up to date, or measure --alone'
        )
    difference = max(abs(values[k] - others[k]) / max(abs(others[k]), 1e-3) for k in values)
    if not difference <= _TOLERANCE:
        raise ValueError(
            f'expected equal losses of both variants, received {values} and {others}; a time is '
            'only worth comparing where the results agree: bring tests/plain_formulations.py up to '
            'date, or measure --alone'
        )
    return difference


def compare_iterations(comparison: Comparison, trainees: Sequence[Trainee], repeats: int) -> float:
    """Times training iterations; the first of each, which is not counted, is compared.

    Returns:
        The largest relative difference of the losses; 0 where only one is measured.
    """
    first = [trainee.iterate()[0] for trainee in trainees]
    difference = largest_difference(first[0], first[-1])
    for repeat in range(repeats):
        say_progress(f'iteration {repeat + 1}/{repeats}')
        # Who goes first changes, so that neither always finds the caches warm.
        order = trainees if repeat % 2 else trainees[::-1]
        seconds = {trainee.variant: trainee.iterate()[1] for trainee in order}
        for parts in seconds.values():
            parts['**iteration**'] = sum(parts.values())
        comparison.add(seconds['package'], seconds.get('plain'))
    return difference


def compare_calls(
    comparison: Comparison, name: str, functions: Sequence[Callable], repeats: int, device: str
) -> None:
    """Times functions in turn after one call each that is not counted."""
    for repeat in range(repeats + 1):
        say_progress(f'{name} {repeat}/{repeats}')
        timer = PartTimer(device)
        order = list(zip(VARIANTS, functions, strict=False))
        for variant, function in order if repeat % 2 else order[::-1]:
            with timer.part(variant):
                function()
        if repeat:
            costs = [{name: timer.seconds[variant]} for variant, _ in order]
            comparison.add(*costs)


def compare_refinements(
    comparison: Comparison, trainees: Sequence[Trainee], plain: ModuleType, repeats: int
) -> None:
    """Times each maker's refinement of a batch at half size, for two backgrounds, two classes."""
    image = next(iter(trainees[0].inputs.values()))
    image = F.interpolate(image, scale_factor=0.5).sigmoid()
    masks = torch.rand(len(image), 3, *image.shape[-2:], device=image.device)
    makers = trainees[0].segmentor.labels.items()
    found = {name: maker.refine for name, maker in makers if getattr(maker, 'refine', None)}
    for name, refine in found.items():

        def refined(refine: Callable = refine) -> Tensor:
            return refine(image, torch.cat((masks, masks), dim=1))

        def refined_plainly(par: Any = refine) -> Tensor:
            images = zip(image.split(1), masks.split(1), strict=True)
            found = [
                torch.cat([plain.par(*pair, par.num_iter, par.dilations) for _ in range(2)], dim=1)
                for pair in images
            ]
            return torch.cat(found)

        functions = [refined, refined_plainly][: len(trainees)]
        if len(functions) > 1:
            torch.testing.assert_close(refined(), refined_plainly(), rtol=_TOLERANCE, atol=1e-4)
        title = f'labels.{name}.refine of the batch'
        compare_calls(comparison, title, functions, repeats, str(image.device))


def compare_evaluation(
    comparison: Comparison, trainees: Sequence[Trainee], plain: ModuleType, repeats: int
) -> None:
    """Times segmentation and CAMs of one image."""
    package, other = (trainee.segmentor.eval() for trainee in (trainees[0], trainees[-1]))
    other.load_state_dict(package.state_dict())
    inputs = trainees[0].inputs[package.main_view][:1]
    samples = trainees[0].samples[:1]
    tags = samples[0].gt_tags[None]

    @torch.no_grad()
    def predict() -> Any:
        return package.predict(inputs, samples)[0]

    def predict_plainly() -> tuple[Tensor, dict[str, Tensor]]:
        return plain.predict(other, inputs, tags)

    functions = [predict, predict_plainly][: len(trainees)]
    if len(functions) > 1:
        scores, sample = predict_plainly()[1], predict()
        for name in package.cam_names:
            given = sample.get(cam_field(name)).score
            torch.testing.assert_close(given, scores[name], rtol=0, atol=_TOLERANCE)
    compare_calls(comparison, 'evaluation of an image', functions, repeats, str(inputs.device))


def compare_products(trainees: Sequence[Trainee]) -> Comparison:
    """Counts the products of an iteration."""
    say_progress('products')
    comparison = Comparison()
    name = 'products of an iteration'
    comparison.add(*({name: trainee.products() / 1e9} for trainee in trainees))
    return comparison
