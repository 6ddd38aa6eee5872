"""Tags as numbers of classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from wsss_plugin.errors import DataError, cut, listed, received


def tag_numbers(
    sample: Mapping[str, Any], classes: Sequence[str], known: Collection[str], required: bool
) -> list[int]:
    """Returns the numbers of the classes that an image is tagged with.

    Args:
        sample (Mapping): ``name``, ``tags`` and ``source``, as ``load_samples`` gives them.
        classes (Sequence[str]): The foreground classes.
        known (Collection[str]): These and others that a tag may name.
        required (bool): Whether there has to be one.

    Returns:
        list[int]: Numbers from 0, sorted.

    Raises:
        DataError: A tag is unknown, or none is there.
    """
    for tag in sample['tags']:
        if tag not in known:
            raise DataError(
                f'{sample["source"]}: expected tags among the classes '
                f'{listed(sorted(known))}; received {received(tag)} for image '
                f'{cut(sample["name"])}; '
                "correct the tag or add it to metainfo['classes']"
            )
    # A class that the user left out of metainfo['classes'] is background here, not an error.
    chosen = {name: number for number, name in enumerate(classes)}
    numbers = sorted({chosen[tag] for tag in sample['tags'] if tag in chosen})
    if required and not numbers:
        raise DataError(
            f'{sample["source"]}: expected at least one tag for image '
            f'{cut(sample["name"])}, '
            'received none; add a tag, remove the image from the list, or set '
            'require_tags=False if it shows background only'
        )
    return numbers
