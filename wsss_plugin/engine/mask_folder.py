"""Where a data set has its masks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmseg.registry import DATASETS


def mask_folder(dataset: Mapping[str, Any]) -> Path | None:
    """Where the true masks of a data set are.

    Args:
        dataset: Its config.

    Returns:
        The folder, whether it exists or not; None for a data set of another package.
    """
    kind = dataset.get('type')
    prefix = getattr(DATASETS.get(kind) if isinstance(kind, str) else kind, 'PREFIX', None)
    if prefix is None:
        return None
    names = {**prefix, **(dataset.get('data_prefix') or {})}
    return Path(dataset.get('data_root') or '', names['seg_map_path'])
