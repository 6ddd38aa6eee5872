"""Tags from COCO's instances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmseg.datasets import COCOStuffDataset
from mmseg.registry import DATASETS
from pycocotools.coco import COCO

from wsss_plugin.datasets.class_names import BACKGROUND, require_one_spelling
from wsss_plugin.datasets.coco_file import load_coco
from wsss_plugin.datasets.tag_dataset import TagDataset

# The stuff data set lists the 80 things first, in the order of their COCO ids.
_THINGS = 80


@DATASETS.register_module()
class COCOTagDataset(TagDataset):
    """Images of COCO, or of any instances JSON, whose tags are the categories of their objects.

    Masks for evaluation are the 8-bit PNGs that ``tools/convert_coco.py`` makes, with the
    categories of the JSON numbered from 1 in the order of their ids, whichever classes are chosen.

    Args:
        ann_file (str): Instances JSON, for example ``annotations/instances_train2014.json``.
        drop_empty (bool): Whether images without objects are left out, as in the published lists
            (82081 training and 40137 validation images).
        use_crowd (bool): Whether crowd regions count as objects.
        metainfo (Mapping | None): ``classes``, with ``'background'`` first, chosen among the
            categories in any order. When None they are COCO's 80 if the JSON has those, and
            otherwise the categories of the JSON; name them where a second file might lack one.
        data_root (str | None): Folder of the data set.
        **kwargs: Arguments of :class:`TagDataset`; ``mask_classes`` for masks of another numbering.

    Raises:
        MissingFileError: A folder or file is missing.
        DataError: The JSON is not understood or contradicts itself, or a category is not among
            the classes.
    """

    METAINFO = {  # noqa: RUF012
        'classes': (BACKGROUND, *COCOStuffDataset.METAINFO['classes'][:_THINGS]),
        'palette': [[0, 0, 0], *COCOStuffDataset.METAINFO['palette'][:_THINGS]],
    }

    def __init__(
        self,
        ann_file: str,
        drop_empty: bool = True,
        use_crowd: bool = True,
        metainfo: Mapping[str, Any] | None = None,
        data_root: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.drop_empty = drop_empty
        self.use_crowd = use_crowd
        self._require_data_root(data_root)
        path = str(Path(data_root or '', ann_file))
        self._require_file(path, 'ann_file')
        # The base class needs the classes before it reads the annotations.
        self._coco: COCO | None = load_coco(path)
        self._categories = [self._coco.cats[number]['name'] for number in sorted(self._coco.cats)]
        known = {BACKGROUND, *self._categories} == set(self.METAINFO['classes'])
        if not known and 'classes' not in (metainfo or {}):
            require_one_spelling(path, dict.fromkeys(self._categories, 'among the categories'))
            metainfo = {**(metainfo or {}), 'classes': (BACKGROUND, *self._categories)}
        super().__init__(ann_file=ann_file, metainfo=metainfo, data_root=data_root, **kwargs)

    def _usual_mask_names(self, classes: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        return (BACKGROUND, *self._categories)

    def load_samples(self) -> list[dict[str, Any]]:
        """Lists the images of the JSON with the names of their categories."""
        # Worker processes need not copy the index.
        coco, self._coco = self._coco or load_coco(self.ann_file), None
        samples = []
        for image_id in sorted(coco.getImgIds()):
            annotations = coco.imgToAnns.get(image_id, [])
            categories = {
                item['category_id']
                for item in annotations
                if self.use_crowd or not item.get('iscrowd', 0)
            }
            if categories or not self.drop_empty:
                tags = sorted(coco.cats[category]['name'] for category in categories)
                samples.append(self._sample(coco.imgs[image_id], tags))
        return samples

    def _sample(self, image: Mapping[str, Any], tags: list[str]) -> dict[str, Any]:
        file_name = image['file_name']
        name = str(Path(file_name).with_suffix(''))
        return {
            'name': name,
            'img_path': str(Path(self.data_prefix['img_path'], file_name)),
            'seg_map_path': str(Path(self.data_prefix['seg_map_path'], name + self.seg_map_suffix)),
            'tags': tags,
            'source': self.ann_file,
            'entry': f'image {image["id"]}',
        }
