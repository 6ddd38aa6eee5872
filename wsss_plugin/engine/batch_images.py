"""Which images a batch is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def image_names(batch: Any) -> list[str]:
    """Returns the files of the images of a batch, as far as its data samples name them.

    Args:
        batch (Any): What a dataloader yields.

    Returns:
        list[str]: ``img_path`` of every data sample that has one.

    Examples:
        >>> image_names({'inputs': [], 'data_samples': [1, 2]})
        []
    """
    samples = batch.get('data_samples') if isinstance(batch, Mapping) else None
    if not isinstance(samples, list | tuple):
        return []
    metas = [getattr(sample, 'metainfo', None) for sample in samples]
    return [
        str(meta['img_path']) for meta in metas if isinstance(meta, Mapping) and 'img_path' in meta
    ]
