"""Which images, with which tags, a data set has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wsss_plugin.engine.fingerprints import values_fingerprint


def data_fingerprint(dataset: Any) -> dict[str, Any]:
    """The number of images of a data set, and a digest of their names, sizes in bytes and tags.

    Folders count for nothing, so that a copy elsewhere has the same digest.

    Args:
        dataset: A data set of MMSegmentation or of this package.

    Returns:
        ``images`` and ``fingerprint``, 64 hexadecimal digits; None of a data set that does not say
        what it has.
    """
    if not hasattr(dataset, 'get_data_info'):
        return {'images': len(dataset), 'fingerprint': None}
    said = []
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        path = Path(str(info.get('img_path', '')))
        size = path.stat().st_size if path.is_file() else None
        tags = info.get('gt_tags')
        said.append([path.name, size, None if tags is None else [int(tag) for tag in tags]])
    return {'images': len(said), 'fingerprint': values_fingerprint(sorted(said, key=str))}
