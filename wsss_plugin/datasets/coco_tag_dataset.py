"""Tags from COCO's instances."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

from mmseg.datasets import COCOStuffDataset
from mmseg.registry import DATASETS
from pycocotools.coco import COCO

from wsss_plugin.datasets.tag_dataset import BACKGROUND, TagDataset

# The stuff data set lists the 80 things first, in the order of their COCO ids.
_THINGS = 80


@DATASETS.register_module()
class COCOTagDataset(TagDataset):
    """Images of COCO, or of any instances JSON, whose tags are the categories of their objects.

    Masks for evaluation are the 8-bit PNGs that ``tools/convert_coco.py`` makes, with categories
    numbered from 1 in the order of their ids.

    Args:
        ann_file (str): Instances JSON, for example ``annotations/instances_train2014.json``.
        drop_empty (bool): Whether images without objects are left out, as in the published lists
            (82081 training and 40137 validation images).
        use_crowd (bool): Whether crowd regions count as objects.
        **kwargs: Arguments of :class:`TagDataset`.
    """

    METAINFO = {  # noqa: RUF012
        'classes': (BACKGROUND, *COCOStuffDataset.METAINFO['classes'][:_THINGS]),
        'palette': [[0, 0, 0], *COCOStuffDataset.METAINFO['palette'][:_THINGS]],
    }

    def __init__(
        self, ann_file: str, drop_empty: bool = True, use_crowd: bool = True, **kwargs: Any
    ) -> None:
        self.drop_empty = drop_empty
        self.use_crowd = use_crowd
        super().__init__(ann_file=ann_file, **kwargs)

    def load_samples(self) -> list[dict[str, Any]]:
        """Lists the images of the JSON with the names of their categories."""
        coco = load_coco(self.ann_file)
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
                samples.append(self._sample(coco.imgs[image_id]['file_name'], tags))
        return samples

    def _sample(self, file_name: str, tags: list[str]) -> dict[str, Any]:
        name = str(Path(file_name).with_suffix(''))
        return {
            'name': name,
            'img_path': str(Path(self.data_prefix['img_path'], file_name)),
            'seg_map_path': str(Path(self.data_prefix['seg_map_path'], name + self.seg_map_suffix)),
            'tags': tags,
            'source': self.ann_file,
        }


def load_coco(path: str) -> COCO:
    """Reads an instances JSON without pycocotools' messages.

    Args:
        path (str): The file.

    Returns:
        COCO: Its index.

    Raises:
        ValueError: The file is no instances JSON.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(path)
    except (ValueError, TypeError, KeyError, AssertionError) as error:
        raise ValueError(
            f'{path}: expected an instances JSON of COCO, received other content ({error!r}); '
            'download it again or correct it'
        ) from error
    missing = [key for key in ('images', 'annotations', 'categories') if key not in coco.dataset]
    if missing:
        raise ValueError(
            f'{path}: expected an instances JSON of COCO, received one without '
            f'{", ".join(missing)}; use instances_*.json, not captions or keypoints'
        )
    return coco
