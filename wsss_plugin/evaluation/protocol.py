"""How scores came about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsss_plugin.cam_fields import cam_fields
from wsss_plugin.evaluation import report
from wsss_plugin.label_fields import label_fields


@dataclass(frozen=True)
class Protocol:
    """The settings of a test that belong beside its scores.

    Args:
        cam_threshold: Scores up to it are background.
        cam_threshold_sweep: All thresholds tried, if more than one.
        split: Name of the split.
        scales: Test scales; None stands for one that is unknown.
        flip: Whether flipped images are used.
        crf: Settings of the CRF; None is off.
        boundary_distance: Share of the diagonal for the boundary IoU; None is off.
    """

    cam_threshold: float
    cam_threshold_sweep: tuple[float, ...] = ()
    split: str | None = None
    scales: tuple[float | None, ...] = (1.0,)
    flip: bool = False
    crf: Mapping[str, Any] | None = None
    boundary_distance: float | None = None

    def describe(self, results: Sequence[Mapping[str, Any]]) -> dict[str, object]:
        """The protocol in words.

        Args:
            results: What ``WSSSMetric`` keeps of every image.

        Returns:
            Texts and numbers by name, in the order in which they are read.
        """
        facts: dict[str, object] = {'split': self.split or 'not stated', 'images': len(results)}
        facts.update(self._sizes(results))
        facts['scales'] = ', '.join(_scale_text(scale) for scale in self.scales)
        facts['flip'] = 'yes' if self.flip else 'no'
        facts['CRF'] = 'off' if self.crf is None else _crf_text(self.crf)
        if self.boundary_distance is not None:
            percentage = f'{100 * self.boundary_distance:g}'
            facts['boundary IoU'] = f'within {percentage} % of the diagonal'
        by_tags = any(result['labelled_by_tags'] for result in results)
        facts['tags used for segmentation'] = 'yes, it is a CAM' if by_tags else 'no'
        counter = Counter(field for result in results for field in result['fields'])
        facts.update(self._cams(counter, len(results)))
        if label_fields(counter):
            facts['pseudo labels'] = 'of the true tags, scored where they label'
        return facts

    def _cams(self, counter: Mapping[str, int], images: int) -> dict[str, object]:
        cams = {field: counter[field] for field in cam_fields(counter)}
        if not cams:
            return {'CAMs': 'none'}
        facts: dict[str, object] = {'tags used for CAMs': 'yes, the true ones'}
        if min(cams.values()) < images:
            facts['images with CAMs'] = min(cams.values())
        rule = f'fixed at {self.cam_threshold:g}'
        if self.cam_threshold_sweep:
            values = ', '.join(f'{value:g}' for value in self.cam_threshold_sweep)
            rule += f'; swept over {values}, the best {report.PICKED}'
        return {**facts, 'CAM threshold': rule}

    def _sizes(self, results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        if len(self.scales) == 1:
            names = {'size': 'input size'}
        else:
            # A fused prediction keeps what is known of its first augmentation.
            names = {
                'size': f'input size at scale {_scale_text(self.scales[0])}',
                'scored_size': 'scored at size',
            }
        return {
            name: report.size_range([result[key] for result in results if result[key]])
            for key, name in names.items()
        }


def _scale_text(scale: float | None) -> str:
    return 'unknown' if scale is None else f'{scale:g}'


def _crf_text(settings: Mapping[str, Any]) -> str:
    return (
        f'{settings["num_iter"]} iterations, Gaussian (sxy, weight) {settings["gaussian"]}, '
        f'bilateral (sxy, srgb, weight) {settings["bilateral"]}'
    )
