"""What a trained network says of an image in several ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from PIL import Image
from torch import Tensor

from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.engine.judging.image_maps import ImageMaps
from wsss_plugin.engine.label_export import CAMLabels, ListedImages, SegmentationLabels
from wsss_plugin.engine.segmentor_kinds import predicts
from wsss_plugin.engine.trained_model import load_trained_model
from wsss_plugin.evaluation.crf_work import CRFWork
from wsss_plugin.models.registered_class import registered_class

_UNDECIDED = 255


class MapSource:
    """Segments an image, mirrors it, and labels it by a second source.

    Args:
        config: The config, with the high threshold at which the training ends.
        checkpoint: The checkpoint file.
        labels: Name of the label maker that is the second source; None for the only one.
        label_dir: Folder of labels that is the second source in place of a label maker.

    Raises:
        ValueError: If there is no such label maker, or several and none is named.
        MissingFileError: If the folder has no manifest.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        labels: str | None = None,
        label_dir: str | None = None,
    ) -> None:
        said = predicts(config.model)
        self.segmentation = 'decode head' if said['segmentation'] == 'decode_head' else 'CAM'
        self._segmentor: SegmentationLabels | None = None
        if self.segmentation == 'decode head':
            self._segmentor = SegmentationLabels(config, checkpoint, with_tags=False)
            self.model = self._segmentor.model
        else:
            self.model, self.model.dataset_meta = load_trained_model(config, checkpoint)
        self._stored = None if label_dir is None else LabelManifest.read(label_dir)
        # Without a maker that a segmentor of several has to name, CAMs are no second source.
        makers = said['labels']
        self.cam_labels: CAMLabels | None = None
        if label_dir is None and makers and (labels is not None or len(makers) == 1):
            refine = _refinement(config, labels or makers[0])
            self.cam_labels = CAMLabels(config, checkpoint, labels, refine=refine)
        self.labels = label_dir or (self.cam_labels and self.cam_labels.labels)

    @property
    def num_classes(self) -> int:
        """Number of classes, the background among them."""
        return self._segmentor.num_classes if self._segmentor else self.model.num_classes

    @property
    def dataset_meta(self) -> Mapping[str, Any]:
        """Names of the classes as the checkpoint has them."""
        return self.model.dataset_meta

    @torch.no_grad()
    def maps(self, images: ListedImages, name: str) -> ImageMaps:
        """The maps of an image.

        Args:
            images: The images.
            name: Name of the image.

        Returns:
            Its maps, on the CPU.

        Raises:
            DataError: If a second source of CAMs finds no tags.
        """
        item = images.item(name)
        flipped = {**item, 'inputs': item['inputs'].flip(-1)}
        tags = images.tags(name)
        if self._segmentor is None:
            free, restricted, mirrored = None, self._by_cam(item), self._by_cam(flipped).flip(-1)
        else:
            scores = self._segmentor.probabilities(item)
            free, restricted = scores.argmax(dim=0), _among(scores, tags)
            mirrored = self._segmentor.probabilities(flipped).argmax(dim=0).flip(-1)
        return ImageMaps(free, restricted, mirrored, self._label(item, name))

    def at_thresholds(
        self, images: ListedImages, name: str, pairs: Sequence[tuple[float, float]]
    ) -> list[Tensor]:
        """Labels of an image by several thresholds.

        Args:
            images: The images.
            name: Name of the image.
            pairs: Low and high threshold of each label map.

        Returns:
            Label maps (H, W), on the CPU; none without a label maker.
        """
        if self.cam_labels is None:
            return []
        found = self.cam_labels.at_thresholds(images.item(name), pairs)
        return [_decided(label, self.cam_labels.ignore_index) for label in found]

    def _by_cam(self, item: Mapping[str, Any]) -> Tensor:
        (sample,) = self.model.test_step(pseudo_collate([dict(item)]))
        return sample.pred_sem_seg.data[0].long().cpu()

    def _label(self, item: Mapping[str, Any], name: str) -> Tensor | None:
        if self._stored is not None:
            with Image.open(self._stored.path(name)) as image:
                label = torch.from_numpy(np.array(image)).long()
            return _decided(label, self._stored.ignore)
        if self.cam_labels is None:
            return None
        found = self.cam_labels(item)
        label = found.do() if isinstance(found, CRFWork) else found
        return _decided(torch.as_tensor(label), self.cam_labels.ignore_index)


def _refinement(config: Config, labels: str) -> str | None:
    """Labels that walk are taken without their CRF, which would take seconds for each image."""
    walks = hasattr(registered_class(config.model.labels[labels]), 'scores')
    return 'none' if walks else None


def _among(scores: Tensor, tags: np.ndarray | None) -> Tensor:
    if tags is None:
        return scores.argmax(dim=0)
    chosen = torch.from_numpy(np.flatnonzero(np.concatenate([[1], tags])))
    return chosen[scores[chosen].argmax(dim=0)]


def _decided(label: Tensor, ignore: int) -> Tensor:
    return label.long().masked_fill(label == ignore, _UNDECIDED).cpu()
