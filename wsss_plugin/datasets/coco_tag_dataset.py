"""Tags from COCO's instances."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmseg.datasets import COCOStuffDataset
from mmseg.registry import DATASETS
from pycocotools.coco import COCO

from wsss_plugin.datasets.tag_dataset import BACKGROUND, TagDataset
from wsss_plugin.datasets.text_files import read_text

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
        FileNotFoundError: A folder or file is missing.
        ValueError: The JSON is not understood, or a category is not among the classes.
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
            names = dict.fromkeys(self._categories)
            metainfo = {**(metainfo or {}), 'classes': (BACKGROUND, *names)}
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
        ValueError: The file is no instances JSON, or an entry of it is not understood.
    """
    text = read_text(path)
    coco = COCO()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            coco.dataset = json.loads(text)
            coco.createIndex()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
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
    require_keys(path, 'image', coco.dataset['images'], ('file_name',))
    require_keys(path, 'category', coco.dataset['categories'], ('name',))
    _require_foreground(path, coco)
    _require_categories(path, coco)
    return coco


def require_keys(
    path: str, kind: str, entries: Iterable[Mapping[str, Any]], keys: Sequence[str]
) -> None:
    """Checks that entries of an instances JSON say what is needed of them.

    Args:
        path (str): The file.
        kind (str): What the entries are.
        entries (Iterable[Mapping]): The entries, which have ids.
        keys (Sequence[str]): What every entry needs.

    Raises:
        ValueError: A key is missing.
    """
    for entry in entries:
        for key in keys:
            if entry.get(key) is None:
                raise ValueError(
                    f'{path}: expected {key!r} in {kind} {entry["id"]}, received none; add it'
                )


def _require_categories(path: str, coco: COCO) -> None:
    for annotation in coco.dataset['annotations']:
        if annotation['category_id'] not in coco.cats:
            raise ValueError(
                f'{path}: expected a category of the file in annotation {annotation["id"]}, '
                f'received category_id {annotation["category_id"]}; add the category or correct '
                'the annotation'
            )


def _require_foreground(path: str, coco: COCO) -> None:
    for number, category in coco.cats.items():
        if category['name'].lower() == BACKGROUND:
            raise ValueError(
                f'{path}: expected categories of objects, received {category["name"]!r} with id '
                f'{number}; remove it and its annotations, the background is what has none'
            )
