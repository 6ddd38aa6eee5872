"""Images of the test set as a trained model sees them: scores, and panels of chosen ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.utils import track_iter_progress
from mmseg.registry import METRICS

from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.drawn_model import (
    load_drawn_model,
    predict_item,
    read_image,
    scored_cam_threshold,
)
from wsss_plugin.engine.mask_folder import mask_folder
from wsss_plugin.engine.sample_scores import sample_scores
from wsss_plugin.engine.scoring_config import wsss_metrics
from wsss_plugin.engine.trained_model import scored_dataset
from wsss_plugin.engine.viewed_dataset import viewed_dataset
from wsss_plugin.evaluation.class_rates import class_rates
from wsss_plugin.evaluation.named_metrics import rates_by_class
from wsss_plugin.evaluation.report import field_title
from wsss_plugin.evaluation.sparse_counts import SparseCounts, sum_counts
from wsss_plugin.visualization import panel_from_sample

_LEFT_OUT = ('crf', 'crf_workers', 'output_dir', 'out_file', 'format_only', 'cam_threshold_sweep')


class ImageScores:
    """The images of a test set, scored where there are masks.

    Args:
        config: The config of the training; changed in place.
        checkpoint: The checkpoint file.
        num: Number of images at most, spread over the test set.

    Raises:
        ConfigError: If the config has no data set with a test pipeline.
    """

    def __init__(self, config: Config, checkpoint: str, num: int) -> None:
        given = viewed_dataset(config, 'test')
        folder = mask_folder(given)
        self.has_masks = folder is None or folder.is_dir()
        config.test_dataloader = {**(config.get('test_dataloader') or {}), 'dataset': given}
        self._model, meta = load_drawn_model(config, checkpoint)
        self.classes, self._palette = tuple(meta['classes']), meta.get('palette')
        self._dataset = scored_dataset(config, meta)
        self._threshold = scored_cam_threshold(config)
        self._metric = METRICS.build(_metric(config))
        self._metric.dataset_meta = meta
        self.indices = spread_indices(len(self._dataset), num)
        if self.has_masks:
            for index in track_iter_progress(self.indices):
                sample = predict_item(self._model, self._dataset[index])
                self._metric.process(None, [sample.to_dict()])

    def by_class(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """Rates of every class.

        Returns:
            Percentages, None where undefined, by rate, by field, by class; empty without masks.
        """
        rates = {
            field: class_rates(sum_counts(parts, len(self.classes))[0])
            for field, parts in self._counts().items()
        }
        return rates_by_class(rates, self.classes) if rates else {}

    def means(self) -> dict[str, dict[str, float]]:
        """Means over the classes.

        Returns:
            Percentages by name, by field; empty without masks.
        """
        return {
            field: class_rates(sum_counts(parts, len(self.classes))[0]).means()
            for field, parts in self._counts().items()
        }

    def protocol(self) -> dict[str, object]:
        """How the scores came about.

        Returns:
            Texts by name; empty without masks.
        """
        results = self._metric.results
        return self._metric.protocol.describe(results) if results else {}

    def ranking(self, doubtful: Sequence[str] = ()) -> list[int]:
        """The images from the worst to the best.

        Args:
            doubtful: Names of images, the most doubtful first, which come first without masks.

        Returns:
            Indices of the data set, by the mIoU over the classes of the image.
        """
        if not self.has_masks:
            places = {self._stem(index): index for index in range(len(self._dataset))}
            named = [places[name] for name in doubtful if name in places]
            return [*named, *(index for index in self.indices if index not in named)]
        first = [self._image_score(place) for place in range(len(self.indices))]
        order = sorted(range(len(first)), key=lambda place: first[place])
        return [self.indices[place] for place in order if not math.isnan(first[place])]

    def _stem(self, index: int) -> str:
        return Path(str(self._dataset.get_data_info(index).get('img_path'))).stem

    def panel(self, index: int) -> tuple[str, np.ndarray]:
        """Draws an image beside what the model makes of it.

        Args:
            index: Its index in the data set.

        Returns:
            The image's file and its panel, with scores in the titles where it has a mask.
        """
        sample = predict_item(self._model, self._dataset[index])
        path = str(sample.img_path)
        return path, panel_from_sample(
            read_image(path),
            sample,
            self.classes,
            self._palette,
            self._threshold,
            Path(path).stem,
            scores=sample_scores(sample, len(self.classes), self._threshold),
        )

    def titles(self) -> dict[str, str]:
        """What the fields are called.

        Returns:
            Titles by field.
        """
        return {field: field_title(field) for field in self._counts()}

    def _counts(self) -> dict[str, list[SparseCounts]]:
        fields: dict[str, list[SparseCounts]] = {}
        for result in self._metric.results:
            for field, counts in result['fields'].items():
                fields.setdefault(field, []).append(counts)
        return fields

    def _image_score(self, place: int) -> float:
        fields: Mapping[str, SparseCounts] = self._metric.results[place]['fields']
        counts = fields.get('segmentation') or next(iter(fields.values()), None)
        if counts is None:
            return math.nan
        return class_rates(sum_counts([counts], len(self.classes))[0]).means()['mIoU']


def _metric(config: Config) -> dict[str, Any]:
    """The config's own metric, without what takes long or writes files."""
    given = next(iter(wsss_metrics(config).values()), {'type': 'WSSSMetric'})
    kept = {key: value for key, value in given.items() if key not in _LEFT_OUT}
    return {**kept, 'boundary': False}
