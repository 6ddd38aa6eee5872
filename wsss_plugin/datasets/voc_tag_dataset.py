"""Tags from the Annotations of a data set in VOC layout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mmseg.datasets import PascalVOCDataset
from mmseg.registry import DATASETS

from wsss_plugin.datasets.file_names import relative_name
from wsss_plugin.datasets.tag_dataset import TagDataset
from wsss_plugin.datasets.text_files import read_lines
from wsss_plugin.datasets.voc_annotation import read_objects
from wsss_plugin.errors import MissingFileError


@DATASETS.register_module()
class VOCTagDataset(TagDataset):
    """Data set in VOC layout whose tags are the object names of its XML annotations.

    ``ann_file`` lists image names, one per line, with their sub-folders; a line may also be a path
    through the folder of the images, or an image's and a mask's path as in SBD's lists. Annotations
    and masks are in the same sub-folders of their own folders. In test mode an image without XML,
    as in VOC's test set, has no tags.

    Args:
        ann_file (str): List of names, for example ``ImageSets/Segmentation/train.txt``.
        use_difficult (bool): Whether objects marked as difficult count as present.
        require_tags (bool): Whether an image without any object is an error.
        **kwargs: Arguments of :class:`TagDataset`; ``data_prefix`` also has ``annotation_path``.
    """

    METAINFO = PascalVOCDataset.METAINFO
    PREFIX = {  # noqa: RUF012
        'img_path': 'JPEGImages',
        'seg_map_path': 'SegmentationClass',
        'annotation_path': 'Annotations',
    }

    def __init__(
        self,
        ann_file: str,
        use_difficult: bool = True,
        require_tags: bool = True,
        **kwargs: Any,
    ) -> None:
        self.use_difficult = use_difficult
        super().__init__(ann_file=ann_file, require_tags=require_tags, **kwargs)

    def load_samples(self) -> list[dict[str, Any]]:
        """Lists the images of ``ann_file`` with the objects of their annotations."""
        lines = read_lines(self.ann_file)
        return [self._sample(line, number) for line, number in lines.items()]

    def _sample(self, line: str, number: int) -> dict[str, Any]:
        # A name may have blanks; of an image's and a mask's path the first ends in the suffix.
        image, *_ = re.split(rf'(?<={re.escape(self.img_suffix)})\s+', line)
        name = self._name(image, f'{self.ann_file}: line {number}').removesuffix(self.img_suffix)
        source = Path(self.data_prefix['annotation_path'], f'{name}.xml')
        return {
            'name': name,
            'img_path': str(Path(self.data_prefix['img_path'], name + self.img_suffix)),
            'seg_map_path': str(Path(self.data_prefix['seg_map_path'], name + self.seg_map_suffix)),
            'tags': self._read_tags(source),
            'source': str(source),
            'entry': f'line {number}',
        }

    def _name(self, path: str, where: str) -> str:
        """The image's name below the folder of the images, of a path that may pass through it."""
        parts = path.replace('\\', '/').split('/')
        folder = Path(self.data_prefix['img_path']).name
        if folder and folder in parts[:-1]:
            last = len(parts) - 2 - parts[-2::-1].index(folder)
            path = '/'.join(parts[last + 1 :])
        return relative_name(path, where)

    def _read_tags(self, source: Path) -> list[str] | None:
        try:
            return read_objects(source, self.use_difficult)
        except MissingFileError:
            if self.test_mode:
                return None
            raise
