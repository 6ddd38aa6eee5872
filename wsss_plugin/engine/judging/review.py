"""The images of a run, the most doubtful ones first, as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wsss_plugin.engine.judging.image_judgement import ImageJudgement
from wsss_plugin.whole_file import whole_file

REVIEW_COLUMNS = (
    'image',
    'doubt',
    'tags',
    'missing',
    'extra',
    'tag_f1',
    'source_agreement',
    'flip_agreement',
    'undecided',
    'foreground',
    'all_background',
    'full_frame',
)


def write_review(
    path: str | Path, images: Sequence[ImageJudgement], classes: Sequence[str]
) -> None:
    """Writes a row for each image, sorted by doubt.

    Args:
        path: The CSV file.
        images: Signals of each image.
        classes: Names of the K foreground classes.
    """
    ordered = sorted(images, key=lambda one: (-one.doubt, one.name))
    with whole_file(path, 'w') as file:
        writer = csv.writer(file)
        writer.writerow(REVIEW_COLUMNS)
        writer.writerows(_row(one, classes) for one in ordered)


def _row(one: ImageJudgement, classes: Sequence[str]) -> list[str]:
    tagged = np.zeros(len(classes), dtype=bool) if one.tags is None else one.tags > 0
    shown = tagged if one.shown is None or one.tags is None else one.shown
    return [
        one.name,
        f'{one.doubt:.4f}',
        _names(tagged, classes),
        _names(tagged & ~shown, classes),
        _names(shown & ~tagged, classes),
        _text(one.tag_f1),
        _text(one.source_agreement),
        _text(one.flip_agreement),
        _text(None if one.undecided is None else 100 * one.undecided),
        _text(100 * one.foreground),
        str(int(one.all_background)),
        '' if one.full_class is None else classes[one.full_class],
    ]


def _names(chosen: np.ndarray, classes: Sequence[str]) -> str:
    return ';'.join(name for name, shown in zip(classes, chosen, strict=True) if shown)


def _text(value: float | None) -> str:
    return '' if value is None else f'{value:.2f}'
