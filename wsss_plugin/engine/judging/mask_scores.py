"""Scores of label maps against some masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_plugin.engine.judging.image_maps import ImageMaps
from wsss_plugin.engine.judging.threshold_choice import choose_thresholds
from wsss_plugin.errors import DataError
from wsss_plugin.evaluation.class_rates import class_rates, percent
from wsss_plugin.evaluation.miou_interval import miou_interval
from wsss_plugin.evaluation.sparse_counts import SparseCounts, count_classes, count_where_labelled

_IGNORED = 255


class MaskScores:
    """Collects the counts of images that have masks.

    Args:
        num_classes: Number of classes, the background among them.
        pairs: Low and high thresholds that are tried.
    """

    def __init__(self, num_classes: int, pairs: Sequence[tuple[float, float]] = ()) -> None:
        self.num_classes = num_classes
        self.pairs = tuple(pairs)
        self._counts: dict[str, list[np.ndarray]] = {}
        self._swept: list[np.ndarray] = []
        self._totals: list[np.ndarray] = []

    def __len__(self) -> int:
        return len(self._totals)

    def add(self, name: str, maps: ImageMaps, truth: Tensor, swept: Sequence[Tensor] = ()) -> None:
        """Counts an image.

        Args:
            name: Its name, for the error.
            maps: Its maps.
            truth: True mask (H, W), 255 where ignored.
            swept: Labels by each pair of thresholds.

        Raises:
            DataError: If the mask has another size.
        """
        if truth.shape != maps.restricted.shape:
            raise DataError(
                f'{name}: expected a mask of the size of the image '
                f'{tuple(maps.restricted.shape)}, received {tuple(truth.shape)}; save it again'
            )
        if maps.free is not None:
            self._add('segmentation', count_classes([maps.free], truth, self.num_classes))
        self._add('restricted', count_classes([maps.restricted], truth, self.num_classes))
        if maps.labels is not None:
            self._add('labels', count_where_labelled(maps.labels, truth, self.num_classes))
        known = truth[truth != _IGNORED]
        self._totals.append(torch.bincount(known.long(), minlength=self.num_classes).numpy())
        if swept:
            counts = [
                self._dense(count_where_labelled(label, truth, self.num_classes)) for label in swept
            ]
            self._swept.append(np.stack(counts))

    def as_json(self, folds: int = 5, seed: int = 0) -> dict[str, Any]:
        """The scores as values for JSON.

        Args:
            folds: Number of folds to choose thresholds by.
            seed: Seed of folds and resampled images.

        Returns:
            ``count``; for 'segmentation', 'restricted' and 'labels' mIoU in percent with the ends
            ``low`` and ``high`` of its 95 % interval; ``by_class``, IoU by class of the first two;
            and ``thresholds``, None where none were tried.
        """
        found: dict[str, Any] = {'count': len(self)}
        for name, counts in self._counts.items():
            interval = miou_interval(np.stack(counts), seed=seed)
            found[name] = {
                'mIoU': round(interval.miou, 2),
                'low': round(interval.low, 2),
                'high': round(interval.high, 2),
                'level': 95,
            }
        if 'labels' in found:
            labelled = np.stack(self._counts['labels'])[:, 2].sum() / np.stack(self._totals).sum()
            found['labels']['labelled'] = percent(labelled)
        found['iou'] = {
            name: [
                None if np.isnan(value) else percent(value)
                for value in class_rates(np.stack(counts).sum(axis=0)).iou
            ]
            for name, counts in self._counts.items()
        }
        found['thresholds'] = self._thresholds(folds, seed)
        return found

    def _thresholds(self, folds: int, seed: int) -> dict[str, Any] | None:
        if not self._swept:
            return None
        counts = np.stack(self._swept, axis=1)
        choice = choose_thresholds(self.pairs, counts, np.stack(self._totals), folds, seed)
        return {
            'low': choice.low,
            'high': choice.high,
            'folds': choice.folds,
            'out_of_fold_mIoU': choice.miou,
            'out_of_fold_labelled': choice.labelled,
            'said': f'low {choice.low:g} and high {choice.high:g} were picked on these '
            f'{choice.images} masks, by {choice.folds}-fold cross-validation',
        }

    def _add(self, name: str, counts: SparseCounts) -> None:
        self._counts.setdefault(name, []).append(self._dense(counts))

    def _dense(self, counts: SparseCounts) -> np.ndarray:
        dense = np.zeros((3, self.num_classes), dtype=np.int64)
        dense[:, counts.classes] = counts.counts[0]
        return dense
