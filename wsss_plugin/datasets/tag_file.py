"""Files of tags: CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wsss_plugin.datasets.class_names import BACKGROUND, is_background, require_plain, same_word
from wsss_plugin.datasets.text_files import is_one_line, read_json, read_text
from wsss_plugin.errors import DataError, MissingFileError, cut, listed, received

_IMAGE_COLUMNS = ('image', 'filename', 'name')
# What other tools call the column that is 'tags' here; none of them is the name of a class.
_OTHER_TAG_COLUMNS = (
    *('tag', 'label', 'labels', 'class', 'classes', 'category', 'categories', 'target', 'targets'),
    *(
        'class_name',
        'classname',
        'class_id',
        'label_id',
        'category_id',
        'annotation',
        'annotations',
    ),
)


class TagFile(NamedTuple):
    """What a file of tags says.

    Attributes:
        tags: Tags by the name of the image, as the file writes it.
        classes: Classes that the file itself names, the background first: those of a label map,
            in its order; None where it has nothing but tags.
        columns: Classes that the file has columns for.
    """

    tags: dict[str, list[str]]
    classes: tuple[str, ...] | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> TagFile:
        """Reads a CSV or JSON file of tags.

        Args:
            path (Path): The file; the suffix tells the format.

        Returns:
            TagFile: Its content.

        Raises:
            MissingFileError: There is no such file.
            DataError: The content is not understood or contradicts itself.
        """
        if not path.is_file():
            raise MissingFileError(
                f"ann_file: expected a file at '{path}', found none; check data_root and ann_file"
            )
        readers = {'.json': _read_json, '.csv': _read_csv}
        if path.suffix.lower() not in readers:
            raise DataError(
                f'{path}: expected a file of tags ending in .csv or .json; save it as one'
            )
        content = readers[path.suffix.lower()](path)
        for image, names in content.tags.items():
            _require_foreground(path, names, f'for image {cut(image)}')
        return content

    def found_classes(self, path: Path) -> tuple[str, ...]:
        """Returns the classes where nobody has named them, the background first.

        Args:
            path (Path): The file, for the error.

        Returns:
            tuple[str, ...]: Those of a label map in its own order, used or not; otherwise the
            tags and columns, sorted.

        Raises:
            DataError: A tag cannot be the name of one class, or two are spellings of one.
        """
        if not (self.classes or ())[1:] and not self.columns and not any(self.tags.values()):
            raise DataError(
                f'{path}: expected at least one tag, received none for any image; add tags, or '
                "name the classes in metainfo['classes']"
            )
        if self.classes is not None:
            return self.classes
        where: dict[str, str] = dict.fromkeys(self.columns, 'in the header')
        for image, names in self.tags.items():
            for name in names:
                where.setdefault(name, f'for image {cut(image)}')
        require_plain(path, where)
        return (BACKGROUND, *sorted(where))


def _require_foreground(path: Path, tags: Sequence[str], where: str) -> None:
    for tag in tags:
        if is_background(tag):
            raise DataError(
                f'{path}: expected tags of the foreground only, received {tag!r} {where}; remove '
                'it, an image of background has an empty list of tags'
            )


def _read_json(path: Path) -> TagFile:
    content = read_json(path)
    if isinstance(content, dict) and isinstance(content.get('labels'), dict):
        return _read_label_map(path, content)
    if not isinstance(content, dict):
        raise DataError(
            f'{path}: expected an object {{"image": ["tag", ...], ...}}, received '
            f'{received(content)}; write one'
        )
    return TagFile({image: _strip(path, image, tags) for image, tags in content.items()})


def _strip(path: Path, image: str, tags: Any) -> list[str]:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise DataError(
            f'{path}: expected an object {{"image": ["tag", ...], ...}}, received {received(tags)} '
            f'for image {cut(image)}; write a list of names, an empty one for background only'
        )
    return [tag.strip() for tag in tags]


def _read_label_map(path: Path, content: dict[str, Any]) -> TagFile:
    classes = content.get('classes')
    if (
        not isinstance(classes, list)
        or classes[:1] != [BACKGROUND]
        or not all(isinstance(name, str) and name.strip() for name in classes)
    ):
        raise DataError(
            f"{path}: expected a list 'classes' of names that begins with '{BACKGROUND}' beside "
            f"'labels', received {received(classes)}; add it"
        )
    classes = [name.strip() for name in classes]
    _require_foreground(path, classes[1:], 'as a class')
    repeated = [name for name, times in Counter(classes).items() if times > 1]
    if repeated:
        raise DataError(
            f"{path}: expected every name in 'classes' once, received {listed(repeated)} more "
            'than once; give every number of the label map a name of its own'
        )
    for image, labels in content['labels'].items():
        # True and 1.0 equal 1, but come from something else than a label map.
        if not isinstance(labels, list) or not all(
            type(label) is int and 0 < label < len(classes) for label in labels
        ):
            raise DataError(
                f'{path}: expected labels from 1 to {len(classes) - 1} for image {cut(image)}, '
                f'received {received(labels)}; write a list of whole numbers, an empty one for '
                'background only'
            )
    tags = {
        image: [classes[label] for label in labels] for image, labels in content['labels'].items()
    }
    return TagFile(tags, tuple(classes))


def _read_csv(path: Path) -> TagFile:
    rows = _rows(path)
    _, header = next(rows, (0, []))
    if len(header) < 2 or header[0].lower() not in _IMAGE_COLUMNS:
        shown = received(','.join(header)) if header else "'an empty file'"
        raise DataError(
            f"{path}: expected a header 'image,tags' or 'image,<class>,<class>,...', "
            f'received {shown}; write it as the first line, with commas between the columns'
        )
    as_text = [name.lower() for name in header[1:]] == ['tags']
    if not as_text:
        _check_columns(path, header)
    tags: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for number, row in rows:
        _check_row(path, header, number, row)
        if row[0] in lines:
            raise DataError(
                f'{path}: expected one row per image, received {cut(row[0])} twice, in line '
                f'{lines[row[0]]} and in line {number}; remove one of them'
            )
        lines[row[0]] = number
        tags[row[0]] = _row_tags(path, header, row, as_text)
    return TagFile(tags, columns=() if as_text else tuple(header[1:]))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, without blanks around their cells, and their last lines."""
    reader = csv.reader(io.StringIO(read_text(path), newline=''), strict=True)
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(
            f'{path}: expected a CSV, received one that cannot be read up to line '
            f'{reader.line_num} ({error}); close every quotation mark that a cell begins with'
        ) from error


def _check_columns(path: Path, header: Sequence[str]) -> None:
    _require_foreground(path, header[1:], 'as a column')
    seen: dict[str, str] = {}
    for number, name in enumerate(header[1:], start=2):
        if not name or name.lower().startswith('unnamed:'):
            raise DataError(
                f'{path}: expected the name of a class in every column of the header, received '
                f'{received(name)} in column {number}; name the column or remove it'
            )
        if name.lower() in ('tags', *_OTHER_TAG_COLUMNS, *_IMAGE_COLUMNS):
            raise DataError(
                f"{path}: expected a header 'image,tags' or 'image,<class>,<class>,...', "
                f"received the column {received(name)}; if it holds names, call it 'tags' and "
                'remove the others; if it holds 0 and 1, call it as the class that they tell of'
            )
        if same_word(name) in seen:
            raise DataError(
                f'{path}: expected one column per class, received the columns '
                f'{received(seen[same_word(name)])} and {received(name)}; remove or rename one'
            )
        seen[same_word(name)] = name


def _check_row(path: Path, header: Sequence[str], number: int, row: Sequence[str]) -> None:
    if len(row) != len(header):
        raise DataError(
            f'{path}: expected {len(header)} columns in row {number}, received {len(row)}; '
            "separate several tags by ';'"
        )
    if not row[0]:
        raise DataError(
            f'{path}: expected the name of an image in row {number}, received none; add it or '
            'remove the row'
        )
    for cell in row:
        if not is_one_line(cell):
            raise DataError(
                f'{path}: expected cells of one line in the row that ends in line {number}, '
                f'received {received(cell)}; close the quotation mark that the cell begins with'
            )


def _row_tags(path: Path, header: Sequence[str], row: Sequence[str], as_text: bool) -> list[str]:
    if as_text:
        return [tag.strip() for tag in row[1].split(';') if tag.strip()]
    flags = row[1:]
    if not set(flags) <= {'0', '1'}:
        raise DataError(
            f'{path}: expected 0 or 1 in every column of image {cut(row[0])}, received '
            f'{cut(",".join(flags))}; correct the row'
        )
    return [name for name, flag in zip(header[1:], flags, strict=True) if flag == '1']
