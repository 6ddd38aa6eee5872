"""The generated shapes as a data set."""

from __future__ import annotations

from typing import Any

from mmseg.registry import DATASETS

from wsss_plugin.datasets.shapes_generator import ShapesGenerator
from wsss_plugin.datasets.tag_dataset import BACKGROUND
from wsss_plugin.datasets.voc_tag_dataset import VOCTagDataset


@DATASETS.register_module()
class ShapesTagDataset(VOCTagDataset):
    """The set that :class:`ShapesGenerator` writes, with the failure modes of every image.

    Args:
        ann_file (str): ``ImageSets/Segmentation/train.txt`` or ``.../val.txt``.
        groups_file (str | None): Failure modes of the images.
        **kwargs: Arguments of :class:`VOCTagDataset`.
    """

    METAINFO = {  # noqa: RUF012
        'classes': (BACKGROUND, *ShapesGenerator.CLASSES),
        'palette': [list(colour) for colour in ShapesGenerator.PALETTE],
    }

    def __init__(
        self, ann_file: str, groups_file: str | None = 'groups.json', **kwargs: Any
    ) -> None:
        super().__init__(ann_file=ann_file, groups_file=groups_file, **kwargs)
