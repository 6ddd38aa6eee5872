"""Objects of an annotation in VOC's XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from wsss_plugin.errors import DataError, MissingFileError, cut


def read_objects(path: Path, use_difficult: bool = True) -> list[str]:
    """Reads the names of the objects of an annotation.

    Args:
        path (Path): The file.
        use_difficult (bool): Whether objects marked as difficult count.

    Returns:
        list[str]: A name for every object.

    Raises:
        MissingFileError: There is no such file.
        DataError: The file is no annotation, or an object has no name.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError(
            f'{path}: expected the annotation of a training image, found no file; check '
            "data_prefix['annotation_path'] or remove the name from ann_file"
        ) from error
    # The parser's own kind for damage; the others for encodings that it does not know or read.
    except (ElementTree.ParseError, LookupError, ValueError, OSError) as error:
        raise DataError(
            f'{path}: expected a VOC annotation in XML, received damaged content '
            f'({cut(error)}); replace the file, or save it as UTF-8'
        ) from error
    if root.tag != 'annotation':
        raise DataError(
            f'{path}: expected a VOC annotation in XML, received one of <{cut(root.tag)}>; '
            'replace the file by one that begins with <annotation>'
        )
    names = [
        item.findtext('name', '').strip()
        for item in root.findall('object')
        if use_difficult or item.findtext('difficult', '0').strip() != '1'
    ]
    if '' in names:
        raise DataError(
            f'{path}: expected a name of every object, received none for object '
            f'{names.index("") + 1}; add it or remove the object'
        )
    return names
