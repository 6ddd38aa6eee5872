"""Evaluation of segmentations and CAMs that says how it was done."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmseg.registry import METRICS
from torch import Tensor

from wsss_plugin.cam_fields import cam_fields
from wsss_plugin.evaluation import report
from wsss_plugin.evaluation.boundary_counts import boundary_counts, check_distance
from wsss_plugin.evaluation.class_rates import ClassRates, class_rates, percent
from wsss_plugin.evaluation.crf_pool import CRFPool
from wsss_plugin.evaluation.label_writer import LabelWriter
from wsss_plugin.evaluation.named_metrics import json_number, named_metrics, rates_by_class
from wsss_plugin.evaluation.protocol import Protocol
from wsss_plugin.evaluation.scored_sample import (
    crf_probabilities,
    image_groups,
    image_name,
    image_size,
    plane,
    true_label,
)
from wsss_plugin.evaluation.sparse_counts import (
    count_classes,
    count_where_labelled,
    sum_counts,
)
from wsss_plugin.label_fields import label_fields
from wsss_plugin.ops.labels import threshold_label
from wsss_plugin.whole_file import write_json


@METRICS.register_module()
class WSSSMetric(BaseMetric):
    """Scores segmentation and CAMs per class and per group of images, with the protocol used.

    Reads ``pred_sem_seg`` and, where present, CAMs: ``cam`` and whatever ends in ``_cam``, each
    with ``score`` (1, H, W) in [0, 1] and ``label`` (1, H, W); a score up to the threshold is
    background. Pseudo labels, ``pseudo_label`` and whatever ends in ``_pseudo_label``, are scored
    where they label. Of every image only the pixel counts of the classes that occur are kept.

    Returned are, in percent, ``mIoU``, ``mAcc``, ``aAcc``, ``over_activation`` = FP / (TP + FP) and
    ``false_negative`` = FN / (TP + FN) of the segmentation (the last two over the foreground
    classes), the same under ``crf/`` and under ``cam/`` or the name of another CAM or of a pseudo
    label, ``pseudo_label/labelled``, the share of the pixels that it labels, and
    ``group/<name>/mIoU`` for every name in the samples' ``groups``. A class that is neither
    predicted nor present does not count. With ``boundary`` also ``boundary_mIoU``, by
    :func:`boundary_counts`, of all but pseudo labels.

    Args:
        cam_threshold: Scores up to it are background; ToCo's is 0.5 on VOC.
        cam_threshold_sweep: Thresholds at which the CAMs are scored beside ``cam_threshold``. The
            best of all is reported as picked on the masks it is scored on.
        ignore_index: Value of the true label map that does not count.
        crf: Arguments of ``CRFPool`` to score the segmentation with a CRF as well; None is off.
        crf_workers: Number of processes for the CRF.
        split: Name of the split, for the protocol.
        scales: Test scales, for the protocol; None stands for one that is unknown.
        flip: Whether flipped images are used, for the protocol.
        output_dir: Folder for the predicted label maps, ``<image id>.png``, after the CRF if
            there is one.
        format_only: Only write ``output_dir``; needs no masks.
        out_file: JSON file for protocol, metrics and rates per class.
        boundary: Whether the boundary IoU is computed too.
        boundary_distance: Distance from the contour that it counts, a share of the diagonal.
        collect_device: 'cpu' or 'gpu', where results of processes meet.
        prefix: Prefix of the names of the metrics.
        collect_dir: Folder in which results of processes meet.

    Raises:
        ValueError: If a threshold is outside [0, 1), ``boundary_distance`` is outside (0, 1), or
            ``format_only`` lacks ``output_dir``.
        ImportError: If a CRF is asked for and pydensecrf2 is missing.
    """

    def __init__(
        self,
        cam_threshold: float = 0.5,
        cam_threshold_sweep: Sequence[float] | None = None,
        ignore_index: int = 255,
        crf: Mapping[str, Any] | None = None,
        crf_workers: int = 2,
        split: str | None = None,
        scales: Sequence[float | None] = (1.0,),
        flip: bool = False,
        output_dir: str | None = None,
        format_only: bool = False,
        out_file: str | None = None,
        boundary: bool = False,
        boundary_distance: float = 0.02,
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.cam_threshold = cam_threshold
        sweep = cam_threshold_sweep or ()
        self.cam_threshold_sweep = tuple(sorted({*sweep, cam_threshold})) if sweep else ()
        for value in (cam_threshold, *self.cam_threshold_sweep):
            if not 0 <= value < 1:
                raise ValueError(f'expected CAM thresholds in [0, 1), received {value}')
        if format_only and output_dir is None:
            raise ValueError(
                'expected output_dir with format_only=True, received None; name the folder for '
                'the predictions'
            )
        self.ignore_index = ignore_index
        self.crf_pool = None if crf is None else CRFPool(crf_workers, **crf)
        check_distance(boundary_distance)
        self.boundary_distance = boundary_distance if boundary else None
        self.protocol = Protocol(
            cam_threshold,
            self.cam_threshold_sweep,
            split,
            tuple(scales),
            flip,
            None if self.crf_pool is None else self.crf_pool.settings,
            self.boundary_distance,
        )
        self.label_writer = None if output_dir is None else LabelWriter(output_dir)
        self.format_only = format_only
        self.out_file = None if out_file is None else Path(out_file)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, background first.

        Raises:
            KeyError: If the data set has no names.
        """
        if not self.dataset_meta or 'classes' not in self.dataset_meta:
            raise KeyError(
                "expected dataset_meta['classes'], background first, received "
                f"{self.dataset_meta}; set METAINFO['classes'] of the data set"
            )
        return tuple(self.dataset_meta['classes'])

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:  # noqa: ARG002
        """Counts the pixels of a batch; with a CRF the counts may follow later.

        Args:
            data_batch: Unused, part of MMEngine's protocol.
            data_samples: Predictions as dictionaries.

        Raises:
            KeyError: If the prediction, the mask or the logits for the CRF are missing.
            ValueError: If sizes differ, a mask holds a value that is no class, or predictions of
                two images have one name in ``output_dir``.
            RuntimeError: If the logits do not belong to the prediction, or a CRF failed.
        """
        for sample in data_samples:
            # Every image keeps its place in the results: MMEngine cuts off by position what the
            # distributed sampler added.
            result: dict[str, Any] = {
                'name': image_name(sample),
                'fields': {},
                'boundaries': {},
                'groups': image_groups(sample),
                'size': image_size(sample, 'img_shape'),
                'scored_size': image_size(sample, 'ori_shape'),
                'labelled_by_tags': 'gt_tags' in sample and 'seg_logits' not in sample,
            }
            self.results.append(result)
            if self.format_only:
                self._process_segmentation(sample, None)
                continue
            label = true_label(sample, len(self.classes), self.ignore_index)
            count = partial(self._count, result, label, image_name(sample))
            self._process_segmentation(sample, count)
            self._process_cams(sample, count)
            self._process_labels(sample, result, label)

    def evaluate(self, size: int) -> dict:
        """Waits for CRF and file of every image, then gathers the results of all processes.

        Args:
            size: Number of images of the data set.

        Returns:
            The metrics by name.
        """
        if self.crf_pool is not None:
            self.crf_pool.drain()
            self.crf_pool.close()
        if self.label_writer is not None:
            self.label_writer.finish()
        return super().evaluate(size)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Prints protocol and tables and returns the means.

        Args:
            results: Pixel counts of every image.

        Returns:
            The metrics by name, in percent.
        """
        if self.label_writer is not None:
            # Other processes may have written images of the same name.
            for result in results:
                self.label_writer.reserve(result['name'])
            if self.format_only:
                print_log(f'predictions are in {self.label_writer.folder}', logger='current')
                return {}
        totals = self._totals(results)
        rates = self._rates(results)
        groups = self._group_rates(results)
        sweep = self._sweep(totals)
        protocol = self.protocol.describe(results)
        metrics = {**named_metrics(rates, groups, sweep), **_labelled(results, totals)}
        self._print(protocol, rates, groups, sweep)
        self._warn_without_foreground(totals)
        if self.out_file is not None:
            content = dict(
                protocol=protocol,
                metrics={name: json_number(value) for name, value in metrics.items()},
                classes=rates_by_class(rates, self.classes),
                groups={
                    name: {'images': number, 'classes': rates_by_class(members, self.classes)}
                    for name, (number, members) in groups.items()
                },
            )
            write_json(self.out_file, content)
        return metrics

    def _process_segmentation(self, sample: dict, count: Callable | None) -> None:
        if 'pred_sem_seg' not in sample:
            if count is None or self.crf_pool is not None or 'cam' not in sample:
                raise KeyError(
                    f'expected pred_sem_seg of {image_name(sample)}, received {sorted(sample)}; '
                    "the model's predict has to add it"
                )
            return
        name, label = image_name(sample), plane(sample['pred_sem_seg']['data'])
        if count is not None:
            count('segmentation', [label])
        if self.crf_pool is None:
            self._save(name, label.cpu().numpy())
        else:
            probabilities = crf_probabilities(sample, label, len(self.classes))
            self.crf_pool.submit(name, probabilities, partial(self._take_crf, count, name))

    def _take_crf(self, count: Callable | None, name: str, label: np.ndarray) -> None:
        if count is not None:
            count('crf', [torch.from_numpy(label)])
        self._save(name, label)

    def _save(self, name: str, label: np.ndarray) -> None:
        if self.label_writer is not None:
            self.label_writer.save(name, label, (self.dataset_meta or {}).get('palette'))

    def _process_cams(self, sample: dict, count: Callable) -> None:
        thresholds = (self.cam_threshold, *self.cam_threshold_sweep)
        for field in cam_fields(sample):
            score = plane(sample[field]['score'])
            label = plane(sample[field]['label'])
            count(field, [threshold_label(score, label, value) for value in thresholds])

    def _process_labels(self, sample: dict, result: dict[str, Any], truth: Tensor) -> None:
        for field in label_fields(sample):
            label = plane(sample[field]['data'])
            result['known'] = int((truth != self.ignore_index).sum())
            result['fields'][field] = count_where_labelled(
                label, truth.to(label), len(self.classes), self.ignore_index
            )

    def _count(
        self,
        result: dict[str, Any],
        label: Tensor,
        name: str,
        field: str,
        predictions: list[Tensor],
    ) -> None:
        if predictions[0].shape != label.shape:
            raise ValueError(
                f'expected {field} of {name} at the size of its mask {tuple(label.shape)}, '
                f'received {tuple(predictions[0].shape)}; load the mask after the resizing '
                'transforms, so that it keeps its original size'
            )
        if int(predictions[0].max()) >= len(self.classes):
            raise ValueError(
                f'expected values 0 to {len(self.classes) - 1} in {field} of {name}, received '
                f'{int(predictions[0].max())}; num_classes of the heads has to fit the data set'
            )
        label = label.to(predictions[0].device)
        counts = count_classes(predictions, label, len(self.classes), self.ignore_index)
        result['fields'][field] = counts
        if self.boundary_distance is not None:
            prediction, truth = predictions[0].cpu().numpy(), label.cpu().numpy()
            result['boundaries'][field] = boundary_counts(
                prediction, truth, self.ignore_index, self.boundary_distance
            )

    def _totals(self, results: list[dict], kind: str = 'fields') -> dict[str, np.ndarray]:
        present = {field for result in results for field in result[kind]}
        parts = {
            field: [result[kind][field] for result in results if field in result[kind]]
            for field in (
                *(f for f in report.SEGMENTATIONS if f in present),
                *cam_fields(present),
                *label_fields(present),
            )
        }
        return {field: sum_counts(counts, len(self.classes)) for field, counts in parts.items()}

    def _rates(self, results: list[dict]) -> dict[str, ClassRates]:
        contours = {field: total[0] for field, total in self._totals(results, 'boundaries').items()}
        return {
            field: class_rates(total[0], contours.get(field))
            for field, total in self._totals(results).items()
        }

    def _group_rates(self, results: list[dict]) -> dict[str, tuple[int, dict[str, ClassRates]]]:
        groups = {}
        for name in sorted({name for result in results for name in result['groups']}):
            members = [result for result in results if name in result['groups']]
            groups[name] = (len(members), self._rates(members))
        return groups

    def _sweep(self, totals: Mapping[str, np.ndarray]) -> dict[str, dict[float, float]]:
        if not self.cam_threshold_sweep:
            return {}
        return {
            field: {
                value: class_rates(counts).means()['mIoU']
                for value, counts in zip(self.cam_threshold_sweep, total[1:], strict=True)
            }
            for field, total in totals.items()
            if field in cam_fields(totals)
        }

    def _print(
        self,
        protocol: Mapping[str, object],
        rates: Mapping[str, ClassRates],
        groups: Mapping[str, tuple[int, Mapping[str, ClassRates]]],
        sweep: Mapping[str, Mapping[float, float]],
    ) -> None:
        texts = [
            report.protocol_line(protocol),
            'per class, in %; OA = FP/(TP+FP) over-activation, FN = FN/(TP+FN) false negatives, '
            'means of both without background:',
            report.class_table(rates, self.classes),
        ]
        if groups:
            texts += ['per group of images, in %:', report.group_table(groups)]
        if sweep:
            texts += ['CAM thresholds:', report.sweep_table(sweep)]
        print_log('\n' + '\n'.join(texts), logger='current')

    def _warn_without_foreground(self, totals: Mapping[str, np.ndarray]) -> None:
        labelled = [total[0, 2, 1:].sum() for total in totals.values()]
        if labelled and not any(labelled):
            print_log(
                f'expected foreground in the masks of the {self.protocol.split or "evaluated"} '
                'images, received background and ignored pixels only, so that mIoU says nothing: '
                f'class k has the value k in a mask and {self.ignore_index} is ignored; convert '
                'masks of 0 and 255 to 0 and 1, or check the data set and its metainfo',
                logger='current',
                level=logging.WARNING,
            )


def _labelled(results: list[dict], totals: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The share of the pixels of true masks that each pseudo label labels, in percent."""
    shares = {}
    for field in label_fields(totals):
        known = sum(result['known'] for result in results if field in result['fields'])
        share = totals[field][0, 2].sum() / known if known else math.nan
        shares[f'{field}/labelled'] = percent(share)
    return shares
