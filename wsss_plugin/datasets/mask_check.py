"""Whether masks mean what the data set says, from some of them before anything is computed."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import NamedTuple

import mmcv
import numpy as np

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
    labels to train with. Warns where masks contradict the tags of a fifth of the images or more:
    then the values mostly mean other classes.

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
    compared = 0
    for index in spread_indices(len(masks), number) if masks else []:
        path, tags = masks[index]
        present = _present(path, names, ignore_index)
        if tags is None:
            continue
        compared += 1
        shown = {names[value] for value in present if value != ignore_index and value > 0}
        shown, tagged = shown & set(classes), set(tags) & set(classes)
        if shown != tagged:
            wrong.append(
                f'{path} shows {listed(sorted(shown)) or "background"}, the tags say '
                f'{listed(sorted(tagged)) or "background"}'
            )
    if wrong and len(wrong) >= _SHARE * compared:
        _warn(wrong, compared, names, source)


def _present(path: str, names: Sequence[str], ignore_index: int) -> list[int]:
    require_readable_mask(path)
    with open(path, 'rb') as file:
        mask = mmcv.imfrombytes(file.read(), flag='unchanged', backend='pillow')
    values = np.unique(mask).tolist()
    beyond = [value for value in values if value >= len(names) and value != ignore_index]
    if beyond:
        raise DataError(
            f'{path}: expected values from 0 to {len(names) - 1} ({listed(names, 6)}) or '
            f'{ignore_index} for ignored pixels in a mask, received {listed(beyond, 6)}; correct '
            'the mask, or describe its values by mask_classes'
        )
    return values


def _warn(wrong: Sequence[str], compared: int, names: Sequence[str], source: str) -> None:
    values = ', '.join(f'{value} {cut(name, 30)}' for value, name in enumerate(names[:8]))
    warnings.warn(
        f'{source}: expected masks that show what the tags say, received {len(wrong)} of '
        f'{compared} that do not, for example {"; ".join(wrong[:_EXAMPLES])}. The values of the '
        f'masks are read as {values}{", ..." if len(names) > 8 else ""}: an editor that saves '
        'indexed colours numbers them anew; correct the masks, or describe their values by '
        'mask_classes',
        stacklevel=2,
    )
