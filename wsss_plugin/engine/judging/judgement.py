"""Signals of all images together, and by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wsss_plugin.engine.judging.image_judgement import ImageJudgement
from wsss_plugin.evaluation.class_rates import class_rates
from wsss_plugin.evaluation.paired_difference import miou_of
from wsss_plugin.evaluation.sparse_counts import sum_counts

SIGNALS = (
    'tag_precision',
    'tag_recall',
    'tag_f1',
    'source_agreement',
    'flip_agreement',
    'undecided',
    'all_background',
    'full_frame',
)


class Judgement:
    """What the images of a run say without masks.

    Args:
        images: Signals of each image, at least one.
        classes: Names of the K foreground classes.
    """

    def __init__(self, images: Sequence[ImageJudgement], classes: Sequence[str]) -> None:
        self.images = list(images)
        self.classes = tuple(classes)
        size = len(self.classes)
        known = [one for one in self.images if one.tags is not None]
        self._tags = np.array([one.tags for one in known]).reshape(-1, size) > 0
        compared = [one for one in known if one.shown is not None]
        self._shown = np.array([one.shown for one in compared], dtype=bool).reshape(-1, size)
        self._compared = np.array([one.tags for one in compared]).reshape(-1, size) > 0
        self._known = known

    def signals(self) -> dict[str, float | None]:
        """Signals of all images, in percent; None where there is nothing to count.

        Returns:
            ``tag_precision``, ``tag_recall`` and ``tag_f1`` of the unrestricted segmentation, means
            over the classes that are tagged; ``source_agreement`` and ``flip_agreement``, mIoU;
            ``undecided``, share of the pixels; ``all_background`` and ``full_frame``, shares of
            the images with tags.
        """
        rows = [row for row in self.by_class() if row['tag_recall'] is not None]
        tagged = [one for one in self._known if one.tags is not None and one.tags.any()]
        undecided = [one.undecided for one in self.images if one.undecided is not None]
        return {
            **{name: _mean([row[name] or 0.0 for row in rows]) for name in SIGNALS[:3]},
            'source_agreement': self._agreement('sources'),
            'flip_agreement': self._agreement('flips'),
            'undecided': _percent(undecided),
            'all_background': _percent([one.all_background for one in tagged]),
            'full_frame': _percent([one.full_class is not None for one in tagged]),
        }

    def by_class(self) -> list[dict[str, Any]]:
        """Signals of each class, in percent.

        Returns:
            For each class ``class``, ``images`` (that are tagged with it), ``tag_precision``,
            ``tag_recall``, ``tag_f1``, ``source_iou`` and ``flip_iou``, and of the images that are
            tagged with it ``undecided``, ``all_background`` and ``full_frame`` (filled by it).
        """
        source, flip = self._ious('sources'), self._ious('flips')
        return [self._row(number, source, flip) for number in range(len(self.classes))]

    def _row(self, number: int, source: np.ndarray, flip: np.ndarray) -> dict[str, Any]:
        own = [one for one, has in zip(self._known, self._tags[:, number], strict=True) if has]
        tagged, shown = self._compared[:, number], self._shown[:, number]
        hit = int((tagged & shown).sum())
        compared = len(tagged) > 0
        return {
            'class': self.classes[number],
            'images': len(own),
            'tag_precision': _ratio(hit, int(shown.sum())),
            'tag_recall': _ratio(hit, int(tagged.sum())),
            'tag_f1': _ratio(2 * hit, int(shown.sum() + tagged.sum())) if compared else None,
            'source_iou': _number(source[number + 1]),
            'flip_iou': _number(flip[number + 1]),
            'undecided': _percent([one.undecided for one in own if one.undecided is not None]),
            'all_background': _percent([one.all_background for one in own]),
            'full_frame': _percent([one.full_class == number for one in own]),
        }

    def _counts(self, field: str) -> np.ndarray | None:
        parts = [getattr(one, field) for one in self.images]
        parts = [part for part in parts if part is not None]
        return sum_counts(parts, len(self.classes) + 1)[0] if parts else None

    def _agreement(self, field: str) -> float | None:
        counts = self._counts(field)
        return None if counts is None or not counts.any() else _number(float(miou_of(counts)) / 100)

    def _ious(self, field: str) -> np.ndarray:
        counts = self._counts(field)
        nothing = np.full(len(self.classes) + 1, np.nan)
        return nothing if counts is None else class_rates(counts).iou


def _ratio(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None


def _percent(values: Sequence[Any]) -> float | None:
    return round(100 * float(np.mean(values)), 2) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 2) if values else None


def _number(rate: float) -> float | None:
    return None if np.isnan(rate) else round(100 * float(rate), 2)
