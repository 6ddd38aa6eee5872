"""Folders of labels of which one labels an image."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_plugin.datasets.label_manifest import LabelManifest, require_covered
from wsss_plugin.errors import ConfigError, listed, received

_KEYS = ('folder', 'weight')


class LabelFolders:
    """Folders of label maps by rank: the first that has an image labels it.

    Corrected masks that stand first override the pseudo labels behind them.

    Args:
        given (str | Mapping | Sequence): A folder, or several, the first with the highest rank.
            Each is a path or a dict of ``folder`` and ``weight``, the factor of its images in the
            loss, at least 0 and by default 1.

    Raises:
        ConfigError: A folder is named in another way or twice, there is none, a weight is no
            number from 0, or every weight is 0.
        MissingFileError: A folder has no manifest.
        DataError: A manifest is not understood.
    """

    def __init__(self, given: Any) -> None:
        entries = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        pairs = [_entry(entry) for entry in entries]
        twice = [path for path, times in Counter(Path(p) for p, _ in pairs).items() if times > 1]
        if not pairs or twice:
            raise ConfigError(
                'label_dir: expected one folder or several different ones, received '
                f'{f"{listed(twice)} more than once" if twice else "none"}; correct the list'
            )
        self.weights = tuple(weight for _, weight in pairs)
        if not any(self.weights):
            raise ConfigError(
                'label_dir: expected a folder whose weight is above 0, received none; nothing '
                'would be learnt: raise a weight'
            )
        self.manifests = tuple(LabelManifest.read(folder) for folder, _ in pairs)

    def __iter__(self) -> Iterator[LabelManifest]:
        return iter(self.manifests)

    def require_classes(self, classes: Sequence[str]) -> None:
        """Checks that the values of all labels mean the classes of a data set.

        Args:
            classes (Sequence[str]): Its classes, the background first.

        Raises:
            DataError: Those of a folder are others, or in another order.
        """
        for manifest in self:
            manifest.require_classes(classes)

    def of(self, names: Sequence[str], source: str) -> list[tuple[LabelManifest, float]]:
        """Where the labels of images come from.

        Args:
            names (Sequence[str]): Names of the images, without suffix.
            source (str): What lists them, for the error.

        Returns:
            list: The folder of each image's label, and its weight.

        Raises:
            DataError: An image has no label in any folder.
        """
        found: dict[str, tuple[LabelManifest, float]] = {}
        for manifest, weight in zip(self.manifests[::-1], self.weights[::-1], strict=True):
            found.update(dict.fromkeys(manifest.images, (manifest, weight)))
        folders = ', '.join(str(manifest.folder) for manifest in self)
        require_covered(names, found, folders, source)
        return [found[name] for name in names]

    def labelled(
        self,
        samples: Sequence[Mapping[str, Any]],
        source: str,
        label_map: Mapping[int, int] | None,
        ignore_index: int,
    ) -> list[dict[str, Any]]:
        """Samples with labels in place of masks.

        Args:
            samples (Sequence[Mapping]): The samples, with ``name``.
            source (str): What lists them, for the error.
            label_map (Mapping | None): How the values of masks change in the data set.
            ignore_index (int): Value of the data set that is ignored.

        Returns:
            list: The samples with ``seg_map_path`` of the label, and what else is known of it
            under ``labels``.

        Raises:
            DataError: An image has no label in any folder.
        """
        origins = self.of([sample['name'] for sample in samples], source)
        return [
            {
                **sample,
                'seg_map_path': str(manifest.path(sample['name'])),
                'labels': {
                    'label_dir': str(manifest.folder),
                    'label_weight': weight,
                    'label_map': label_map
                    if manifest.ignore == ignore_index
                    else {manifest.ignore: ignore_index},
                },
            }
            for sample, (manifest, weight) in zip(samples, origins, strict=True)
        ]


def require_no_truth(load_masks: bool, test_mode: bool) -> None:
    """Checks that labels do not stand beside true masks.

    Args:
        load_masks (bool): Whether the data set loads masks in the training.
        test_mode (bool): Whether it is for testing.

    Raises:
        ConfigError: They do.
    """
    if load_masks or test_mode:
        given = 'load_masks' if load_masks else 'test_mode'
        raise ConfigError(
            'label_dir: expected pseudo labels of a training set without true masks, received '
            f'it beside {given}=True; nothing is scored against pseudo labels: leave out one '
            'of the two'
        )


def _entry(given: Any) -> tuple[str, float]:
    """Folder and weight."""
    keys = given if isinstance(given, Mapping) else {'folder': given}
    folder, weight = keys.get('folder'), keys.get('weight', 1)
    if not isinstance(folder, str | Path) or not {*keys} <= {*_KEYS}:
        raise ConfigError(
            "label_dir: expected paths, or dict(folder='...', weight=1.0), received "
            f'{received(given)}; correct the entry'
        )
    if type(weight) not in (int, float) or not 0 <= weight < math.inf:
        raise ConfigError(
            f'label_dir: expected a number of at least 0 as the weight of {folder}, received '
            f'{received(weight)}; 1 is that of a folder without'
        )
    return str(folder), float(weight)
