"""What a folder of labels says of itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_plugin.datasets.text_files import read_json
from wsss_plugin.errors import DataError, MissingFileError, cut, listed, received
from wsss_plugin.whole_file import write_json

MANIFEST_FILE = 'manifest.json'
PSEUDO_LABELS = 'pseudo labels'
CORRECTED_MASKS = 'corrected masks'
LABELS = (PSEUDO_LABELS, CORRECTED_MASKS)
_REMEDY = 'make the folder by tools/export_labels.py, or tools/import_labels.py for masks by hand'


@dataclass(frozen=True)
class LabelManifest:
    """The file ``manifest.json`` of a folder of label maps, which is written last.

    A folder with one is complete, and is no folder of true masks: nothing is scored against it.

    Attributes:
        folder: The folder.
        kind: ``'pseudo labels'`` of a model, or ``'corrected masks'`` of people.
        classes: Names of the labels' values from 0, the background.
        images: Names of the images, with their sub-folders and without suffix.
        ignore: Value of pixels without a class.
        content: All that the file says.
    """

    folder: Path
    kind: str
    classes: tuple[str, ...]
    images: tuple[str, ...]
    ignore: int
    content: Mapping[str, Any]

    @classmethod
    def read(cls, folder: str | Path, *kinds: str) -> LabelManifest:
        """Reads the manifest of a folder.

        Args:
            folder: The folder.
            kinds: What it may hold; labels of either kind by default.

        Returns:
            What it says.

        Raises:
            MissingFileError: If the folder has no manifest.
            DataError: If the file is not of such a folder.
        """
        path, kinds = Path(folder, MANIFEST_FILE), kinds or LABELS
        if not path.is_file():
            raise MissingFileError(
                f'{cut(folder)}: expected a folder of {" or ".join(kinds)} with a {MANIFEST_FILE}, '
                f'found none; {_REMEDY}, again with the same arguments if it was interrupted'
            )
        content = read_json(path)
        kind = content.get('kind') if isinstance(content, dict) else content
        if kind not in kinds:
            raise DataError(
                f"{path}: expected 'kind' to be {' or '.join(map(repr, kinds))}, received "
                f'{received(kind)}; {_REMEDY}'
            )
        for key in ('classes', 'images'):
            if not _is_names(content.get(key)):
                raise DataError(
                    f'{path}: expected a list of names as {key!r}, received '
                    f'{received(content.get(key))}; {_REMEDY}'
                )
        if type(content.get('ignore')) is not int:
            raise DataError(
                f"{path}: expected a whole number as 'ignore', received "
                f'{received(content.get("ignore"))}; {_REMEDY}'
            )
        classes, images = tuple(content['classes']), tuple(content['images'])
        return cls(Path(folder), kind, classes, images, content['ignore'], content)

    @staticmethod
    def write(folder: str | Path, content: Mapping[str, Any], kind: str = PSEUDO_LABELS) -> None:
        """Writes the manifest of a folder that is complete.

        Args:
            folder: The folder.
            content: ``classes``, ``images``, ``ignore`` and whatever else describes the labels;
                ``kind`` where it is another.
            kind: What it holds.
        """
        write_json(Path(folder, MANIFEST_FILE), {'kind': kind, **content})

    def require_classes(self, classes: Sequence[str]) -> None:
        """Checks that the values of the labels mean the classes of a data set.

        Args:
            classes: Its classes, the background first.

        Raises:
            DataError: If they are others, or in another order.
        """
        if tuple(classes) == self.classes:
            return
        pairs = zip((*self.classes, None), (*classes, None), strict=False)
        number, own, wanted = next((n, a, b) for n, (a, b) in enumerate(pairs) if a != b)
        raise DataError(
            f'{self.folder}: expected labels of the classes of the data set in their order, '
            f'received value {number} for {received(own)} in place of {received(wanted)}; export '
            'them by a model of these classes, or name its classes in metainfo'
        )

    def require_images(self, names: Collection[str], source: str) -> None:
        """Checks that the folder has every image of a data set.

        Args:
            names: Names of the images, without suffix.
            source: What lists them, for the error.

        Raises:
            DataError: If it lacks one.
        """
        require_covered(names, self.images, str(self.folder), source)

    def path(self, name: str) -> Path:
        """The file of an image's label.

        Args:
            name: Name of the image, without suffix.

        Returns:
            Its path.
        """
        return label_path(self.folder, name)


def label_path(folder: str | Path, name: str) -> Path:
    """Where a folder of labels has that of an image.

    Args:
        folder: The folder.
        name: Name of the image, with its sub-folders and without suffix.

    Returns:
        The path.

    >>> label_path('labels', 'garden/rex.1').as_posix()
    'labels/garden/rex.1.png'
    """
    return Path(folder, f'{name}.png')


def require_covered(
    names: Collection[str], known: Collection[str], folders: str, source: str
) -> None:
    """Checks that folders have every image of a data set.

    Args:
        names: Names of the images, without suffix.
        known: Names of the images of the folders.
        folders: The folders, for the error.
        source: What lists the images, for the error.

    Raises:
        DataError: If one is missing.
    """
    known = set(known)
    missing = [name for name in names if name not in known]
    if missing:
        raise DataError(
            f'{folders}: expected a label for each of the {len(names)} images of {source}, '
            f'received none for {len(missing)}, among them {listed(missing, 3)}; export these '
            'too, into a new folder with a longer list'
        )


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
