"""What a walk along affinities does to the CAMs of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.pseudo_labels import RandomWalkLabels
from wsss_plugin.ops.cam import average_cams
from wsss_plugin.ops.random_walk import random_walk


@dataclass(frozen=True)
class WalkPictures:
    """A walk of one image.

    Attributes:
        pixel: Row and column of the pixel with the highest score of a class.
        reach: Shares (H, W) of the pixel's score by number of steps.
        scores: Scores (C, H, W) of background and classes by number of steps.
    """

    pixel: tuple[int, int]
    reach: dict[int, np.ndarray]
    scores: dict[int, np.ndarray]


@torch.no_grad()
def walk_pictures(
    model: Any, name: str, batch: Any, steps: Sequence[int], reach: Sequence[int] = (1, 16)
) -> WalkPictures:
    """Walks several numbers of steps.

    Args:
        model: The segmentor in evaluation mode.
        name: Name of its ``RandomWalkLabels``.
        batch: A batch of one image.
        steps: Numbers of steps of the scores.
        reach: Numbers of steps of one pixel's score.

    Returns:
        The walk.

    Raises:
        ConfigError: If the label maker is of another kind.
    """
    maker = model.labels[name]
    if not isinstance(maker, RandomWalkLabels):
        raise ConfigError(
            f'expected RandomWalkLabels as labels.{name}, received {type(maker).__name__}; name '
            'another by --labels'
        )
    cam = average_cams(batch.cams(maker.schedule.at(None, None)))
    before = maker.steps
    scores = {}
    for number in steps:
        maker.steps = number
        scores[number] = maker.scores(batch, cam)[0]
    maker.steps = before
    best = scores[steps[0]][1:].amax(dim=0)
    row, column = divmod(int(best.argmax()), best.shape[1])
    head = batch.main.head(maker.head)
    maps = list(batch.main.features(head.reads).values())
    height, width = maps[0].shape[-2:]
    start = torch.zeros(1, 1, height, width)
    start[0, 0, row * height // best.shape[0], column * width // best.shape[1]] = 1
    affinity = head.affinity(maps)
    start = start.to(affinity)
    shares = {
        number: F.interpolate(
            random_walk(start, affinity, head.radius, head.border, maker.beta, number), best.shape
        )[0, 0]
        for number in reach
    }
    return WalkPictures(
        (row, column),
        {number: share.cpu().numpy() for number, share in shares.items()},
        {number: score.cpu().numpy() for number, score in scores.items()},
    )
