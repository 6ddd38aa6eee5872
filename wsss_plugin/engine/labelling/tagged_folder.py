"""A folder of images and a file of their tags."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from wsss_plugin.datasets import ImageTagDataset, spread_indices
from wsss_plugin.datasets.class_names import BACKGROUND
from wsss_plugin.datasets.tag_file import TagFile
from wsss_plugin.engine.judging import FEWEST_MASKS, hold_out
from wsss_plugin.errors import DamagedFileError, DataError, MissingFileError

_FEWEST = 20  # images of which some can be held out
_MEASURED = 50


class TaggedFolder:
    """Images, their tags, and which of them are kept from the training.

    Args:
        images: Folder of the images.
        tags: File of their tags, as of :class:`ImageTagDataset`.
        classes: Names of the foreground classes in their order; those of the file if None.
        unlisted: What images without an entry are: 'error', 'ignore' or 'background'.
        list_file: Names of the images to take, one per line; all if None.

    Attributes:
        root: A folder with both.
        classes: Names of the classes, the background first.
        names: Names of the images with their suffix, relative to their folder.

    Raises:
        MissingFileError: If the folder or the file is missing.
        DataError: If the file is not understood or does not fit the images.
    """

    def __init__(
        self,
        images: str | Path,
        tags: str | Path,
        classes: Sequence[str] | None = None,
        unlisted: str = 'error',
        list_file: str | Path | None = None,
    ) -> None:
        self.images, self.tags = Path(images).absolute(), Path(tags).absolute()
        if not self.images.is_dir():
            raise MissingFileError(
                f'--images: expected a folder, received {images}, which is none; correct the path'
            )
        if not self.tags.is_file():
            raise MissingFileError(
                f'--tags: expected a file of tags, CSV or JSON, received {tags}, which does not '
                'exist; correct the path'
            )
        self.root = Path(os.path.commonpath([self.images, self.tags.parent]))
        self.unlisted = unlisted
        self.list_file = None if list_file is None else Path(list_file).absolute()
        given = None if classes is None else {'classes': (BACKGROUND, *classes)}
        self._dataset = ImageTagDataset(
            str(self.tags),
            metainfo=given,
            unlisted=unlisted,
            list_file=None if self.list_file is None else str(self.list_file),
            data_root=str(self.root),
            data_prefix=dict(img_path=str(self.images)),
        )
        self.classes = tuple(self._dataset.metainfo['classes'])
        if len(self._dataset) == 0 or len(self.classes) < 2:
            raise DataError(
                f'{tags}: expected images with tags, received {len(self._dataset)} images and '
                f'{len(self.classes) - 1} classes; add entries'
            )
        infos = [self._dataset.get_data_info(index) for index in range(len(self._dataset))]
        self.paths = [Path(info['img_path']).absolute() for info in infos]
        self.names = [path.relative_to(self.images).as_posix() for path in self.paths]
        self.tags_of = np.array([info['gt_tags'] for info in infos])
        entries = TagFile.read(self.tags).tags
        self._words = [
            name if name in entries else name.removesuffix(Path(name).suffix) for name in self.names
        ]
        # Lists cannot name images that the file of tags does not.
        self._can_be_listed = all(word in entries for word in self._words)

    def __len__(self) -> int:
        return len(self.names)

    def side(self) -> int:
        """The median of the longer sides of some images that can be read, in pixels.

        Raises:
            DamagedFileError: If none of them can.
        """
        sides = []
        for index in spread_indices(len(self), min(len(self), _MEASURED)):
            # Whoever looks at the files names those that cannot be read.
            with suppress(OSError), Image.open(self.paths[index]) as image:
                sides.append(max(image.size))
        if not sides:
            raise DamagedFileError(
                f'--images {self.images}: expected images, received files of which none that was '
                f'opened can be read, among them {self.names[0]}; replace them'
            )
        return int(np.median(sides))

    def held_out(
        self, masks: str | Path | None = None, share: float = 0.1
    ) -> tuple[list[str], list[str]]:
        """The images that are not trained on, so that the training can be judged on them.

        Args:
            masks: Folder of masks; where at most half of the images have one, these are held out.
            share: Share of the images otherwise, of each class alike.

        Returns:
            Those that are trained on and those that are not, in the words of the file of tags;
            none where few are there, or some have no entry.

        Raises:
            DataError: If there are masks, but fewer than can be judged by.
            MissingFileError: If the folder of masks is none.
        """
        masked = [] if masks is None else self._masked(Path(masks))
        if len(self) < _FEWEST or not self._can_be_listed:
            return [], []
        held = set(masked)
        if not masked or len(masked) > len(self) // 2:
            needed = FEWEST_MASKS / len(masked) + 0.02 if masked else 0.0
            held = set(hold_out(self.tags_of, max(share, needed)))
        trained = [word for index, word in enumerate(self._words) if index not in held]
        return trained, [self._words[index] for index in sorted(held)]

    def _masked(self, folder: Path) -> list[int]:
        if not folder.is_dir():
            raise MissingFileError(
                f'--masks: expected a folder, received {folder}, which is none; correct the path'
            )
        found = [
            index
            for index, name in enumerate(self.names)
            if Path(folder, name).with_suffix('.png').is_file()
        ]
        if len(found) < FEWEST_MASKS:
            raise DataError(
                f'--masks {folder}: expected masks <name>.png of {FEWEST_MASKS} images or more, '
                f'received {len(found)}; draw more, or leave --masks out'
            )
        return found
