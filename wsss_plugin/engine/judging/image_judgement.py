"""What the maps of one image say without a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from wsss_plugin.engine.judging.image_maps import ImageMaps
from wsss_plugin.evaluation.paired_difference import miou_of
from wsss_plugin.evaluation.sparse_counts import SparseCounts, count_where_labelled, sum_counts

UNDECIDED = 255


@dataclass(frozen=True)
class ImageJudgement:
    """Signals of an image.

    Attributes:
        name: Name of the image.
        tags: Tags (K,), 0 or 1; None where they are unknown.
        shown: Whether the unrestricted segmentation shows a class (K,); None without one.
        flips: Pixels of the segmentation against that of the mirrored image.
        sources: Pixels of the segmentation among the tags against decided labels; None without.
        undecided: Share of the pixels without a label in [0, 1]; None without labels.
        foreground: Share of the pixels that the segmentation among the tags calls foreground.
        full_class: Class (from 0) that fills the image, None if none does.
        num_classes: Number of classes, the background among them.
    """

    name: str
    tags: np.ndarray | None
    shown: np.ndarray | None
    flips: SparseCounts
    sources: SparseCounts | None
    undecided: float | None
    foreground: float
    full_class: int | None
    num_classes: int

    @property
    def all_background(self) -> bool:
        """Whether an image with tags is segmented as background alone."""
        return bool(self.tags is not None and self.tags.any()) and self.foreground == 0

    @property
    def tag_f1(self) -> float | None:
        """Agreement of the classes that are shown with the tags, in percent."""
        if self.tags is None or self.shown is None:
            return None
        hit = int((self.shown & (self.tags > 0)).sum())
        total = int(self.shown.sum() + (self.tags > 0).sum())
        return 100.0 * 2 * hit / total if total else 100.0

    @property
    def flip_agreement(self) -> float:
        """mIoU of the image and its mirror image, in percent."""
        return self._miou(self.flips) or 0.0

    @property
    def source_agreement(self) -> float | None:
        """mIoU of segmentation and labels, in percent; None where nothing is decided."""
        return None if self.sources is None else self._miou(self.sources)

    @property
    def doubt(self) -> float:
        """One less the mean of the agreements, in [0, 1].

        All background and a class that fills the image count as an agreement of 0 each.
        """
        agreements = [self.tag_f1, self.flip_agreement, self.source_agreement]
        known = [value for value in agreements if value is not None]
        known += [0.0] * (int(self.all_background) + int(self.full_class is not None))
        return 1 - sum(known) / (100 * len(known))

    def _miou(self, counts: SparseCounts) -> float | None:
        total = sum_counts([counts], self.num_classes)[0]
        return float(miou_of(total)) if total.any() else None


def judge_image(
    name: str,
    maps: ImageMaps,
    tags: np.ndarray | None,
    num_classes: int,
    min_share: float = 0.005,
    full_share: float = 0.95,
) -> ImageJudgement:
    """Compares the maps of an image with each other and with its tags.

    Args:
        name: Name of the image.
        maps: Its maps.
        tags: Tags (K,), 0 or 1; None where they are unknown.
        num_classes: Number of classes, the background among them.
        min_share: Share of the pixels that a class needs to be shown.
        full_share: Share of the pixels at which a class fills the image.

    Returns:
        The signals.
    """
    among = _shares(maps.restricted, num_classes)
    full = np.flatnonzero(among[1:] >= full_share)
    return ImageJudgement(
        name=name,
        tags=tags,
        shown=None if maps.free is None else _shares(maps.free, num_classes)[1:] >= min_share,
        flips=count_where_labelled(maps.mirrored, maps.plain, num_classes, UNDECIDED),
        sources=None
        if maps.labels is None
        else count_where_labelled(maps.labels, maps.restricted, num_classes, UNDECIDED),
        undecided=None if maps.labels is None else float((maps.labels == UNDECIDED).float().mean()),
        foreground=float(among[1:].sum()),
        full_class=int(full[0]) if len(full) else None,
        num_classes=num_classes,
    )


def _shares(label: Tensor, num_classes: int) -> np.ndarray:
    counts = np.bincount(label.numpy().ravel(), minlength=num_classes)[:num_classes]
    return counts / label.numel()
