"""Masks that show other classes than the tags say."""

from __future__ import annotations

import os
from typing import Any

from mmengine.utils import track_iter_progress

from wsss_plugin.datasets.mask_check import read_mask_values
from wsss_plugin.engine.inspection.tagged_split import TaggedSplit
from wsss_plugin.errors import WSSSError, cut


def mask_contradictions(split: TaggedSplit) -> dict[str, Any]:
    """Compares every mask that exists with the tags of its image.

    Args:
        split: The split.

    Returns:
        Values for JSON: ``masks``, how many there are; ``unreadable``; and ``contradict``, images
        with the classes that are ``shown_not_tagged`` or ``tagged_not_shown``.
    """
    wrong, unreadable, known = [], [], set(split.classes)
    present = [
        (image, path, tags)
        for image, path, tags in zip(split.images, split.masks, split.tags, strict=True)
        if path is not None and tags is not None and os.path.isfile(path)
    ]
    for image, path, tags in track_iter_progress(present) if present else ():
        try:
            values, _ = read_mask_values(path, split.mask_names, split.ignore_index)
        except WSSSError as error:
            unreadable.append({'file': path, 'reason': cut(error, 300)})
            continue
        shown = {split.mask_names[value] for value in values} & known
        tagged = set(split.names_of(tags))
        if shown != tagged:
            wrong.append(
                {
                    'image': image,
                    'shown_not_tagged': sorted(shown - tagged),
                    'tagged_not_shown': sorted(tagged - shown),
                }
            )
    return {'masks': len(present), 'unreadable': unreadable, 'contradict': wrong}
