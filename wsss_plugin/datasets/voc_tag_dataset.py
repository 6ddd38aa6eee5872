"""Tags from the Annotations of a data set in VOC layout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from mmseg.datasets import PascalVOCDataset
from mmseg.registry import DATASETS

from wsss_plugin.datasets.tag_dataset import TagDataset
from wsss_plugin.datasets.text_files import read_text


@DATASETS.register_module()
class VOCTagDataset(TagDataset):
    """Data set in VOC layout whose tags are the object names of its XML annotations.

    ``ann_file`` lists image names, one per line; a line may also be a path, or an image's and a
    mask's path as in SBD's lists. In test mode an image without XML, as in VOC's test set, has no
    tags.

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
        lines = read_text(self.ann_file).splitlines()
        return [self._sample(line) for line in lines if line.strip()]

    def _sample(self, line: str) -> dict[str, Any]:
        # A name may have blanks; of an image's and a mask's path the first ends in the suffix.
        image, *_ = re.split(rf'(?<={re.escape(self.img_suffix)})\s+', line.strip())
        name = Path(image).name.removesuffix(self.img_suffix)
        source = Path(self.data_prefix['annotation_path'], f'{name}.xml')
        return {
            'name': name,
            'img_path': str(Path(self.data_prefix['img_path'], name + self.img_suffix)),
            'seg_map_path': str(Path(self.data_prefix['seg_map_path'], name + self.seg_map_suffix)),
            'tags': self._read_tags(source),
            'source': str(source),
        }

    def _read_tags(self, source: Path) -> list[str] | None:
        try:
            objects = ElementTree.parse(source).getroot().findall('object')
        except FileNotFoundError as error:
            if self.test_mode:
                return None
            raise FileNotFoundError(
                f'{source}: expected the annotation of a training image, found no file; check '
                "data_prefix['annotation_path'] or remove the name from ann_file"
            ) from error
        except ElementTree.ParseError as error:
            raise ValueError(
                f'{source}: expected a VOC annotation in XML, received damaged content ({error}); '
                'replace the file'
            ) from error
        return [
            item.findtext('name', '').strip()
            for item in objects
            if self.use_difficult or item.findtext('difficult', '0').strip() != '1'
        ]
