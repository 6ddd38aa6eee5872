"""Whether masks mean what the data set says, from some of them before anything is computed."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from wsss_plugin.datasets.class_names import BACKGROUND
from wsss_plugin.datasets.masks import require_readable_mask
from wsss_plugin.datasets.spread_indices import spread_indices
from wsss_plugin.errors import DataError, cut, listed

# Fewer contradictions are those of annotators: an object too small for a mask, or without a box.
_SHARE = 0.2
_EXAMPLES = 3
MASKS_OPENED = 32


class TaggedMask(NamedTuple):
    """A mask and the tags of its image.

    Attributes:
        path: File of the mask.
        tags: Names of the classes that the image shows; None where that is unknown.
    """

    path: str
    tags: Collection[str] | None


def check_masks(
    masks: Sequence[TaggedMask],
    names: Sequence[str],
    classes: Sequence[str],
    source: str,
    ignore_index: int = 255,
    number: int = MASKS_OPENED,
) -> None:
    """Checks some of the masks by what their files are, by their values and by the tags.

    For every place that opens masks: splits that are scored, ``load_masks=True`` and folders of
    labels to train with. Warns where a fifth of the masks or more contradict the tags, or give a
    value another colour than others do: then the values mostly mean other classes.

    Args:
        masks (Sequence[TaggedMask]): All masks, of which some are opened.
        names (Sequence[str]): Names of the masks' values from 0, the background.
        classes (Sequence[str]): Classes of the data set, the background first; values of other
            names are ignored.
        source (str): What the masks belong to, for the messages.
        ignore_index (int): Value without class.
        number (int): Number of masks that are opened, spread over all of them.

    Raises:
        MissingFileError: A mask is missing.
        DamagedFileError: A mask is damaged.
        DataError: A mask is no map of labels, or has values without a name.
    """
    wrong: list[str] = []
    colours: dict[int, tuple[tuple[int, ...], str]] = {}
    chosen = spread_indices(len(masks), number) if masks else []
    for index in chosen:
        present, palette = read_mask_values(masks[index].path, names, ignore_index)
        problem = _against_tags(masks[index], present, names, classes) or _against_others(
            masks[index].path, present, palette, colours
        )
        if problem:
            wrong.append(problem)
    if wrong and len(wrong) >= _SHARE * len(chosen):
        _warn(wrong, len(chosen), names, source)


def read_mask_values(
    path: str, names: Sequence[str], ignore_index: int = 255
) -> tuple[list[int], list[int]]:
    """Reads which values a mask has.

    Args:
        path (str): The mask.
        names (Sequence[str]): Names of the masks' values from 0, the background.
        ignore_index (int): Value without class.

    Returns:
        tuple[list[int], list[int]]: The values that are not ignored, and the palette, empty if
        the file has none.

    Raises:
        MissingFileError: The mask is missing.
        DamagedFileError: The mask is damaged.
        DataError: The file is no map of labels, or has values without a name.
    """
    require_readable_mask(path)
    with Image.open(path) as image:
        values = [int(value) for value in np.unique(np.asarray(image)) if value != ignore_index]
        palette = image.getpalette() or []
    beyond = [value for value in values if value >= len(names)]
    if beyond:
        raise DataError(
            f'{path}: expected values from 0 to {len(names) - 1} ({listed(names, 6)}) or '
            f'{ignore_index} for ignored pixels in a mask, received {listed(beyond, 6)}; correct '
            'the mask, or describe its values by mask_classes'
        )
    return values, palette


def _against_tags(
    mask: TaggedMask, present: Sequence[int], names: Sequence[str], classes: Sequence[str]
) -> str:
    if mask.tags is None:
        return ''
    known = set(classes[1:])
    shown, tagged = {names[value] for value in present} & known, set(mask.tags) & known
    if shown == tagged:
        return ''
    return (
        f'{mask.path} shows {listed(sorted(shown)) or BACKGROUND}, the tags say '
        f'{listed(sorted(tagged)) or BACKGROUND}'
    )


def _against_others(
    path: str,
    present: Sequence[int],
    palette: Sequence[int],
    colours: dict[int, tuple[tuple[int, ...], str]],
) -> str:
    for value in present if palette else ():
        colour = tuple(palette[3 * value : 3 * value + 3])
        before, other = colours.setdefault(value, (colour, path))
        if colour != before:
            return f'{path} gives {value} the colour {colour}, {other} the colour {before}'
    return ''


def _warn(wrong: Sequence[str], opened: int, names: Sequence[str], source: str) -> None:
    values = [f'{value} {cut(name, 30)}' for value, name in enumerate(names)]
    warnings.warn(
        f'{source}: expected masks that show what the tags say and mean the same by a value, '
        f'received {len(wrong)} of {opened} that do not, for example '
        f'{"; ".join(wrong[:_EXAMPLES])}. Values are read as {listed(values, 8)}: an editor that '
        'saves indexed colours numbers them anew; correct the masks, or describe their values by '
        'mask_classes',
        stacklevel=2,
    )
