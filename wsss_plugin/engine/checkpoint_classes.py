"""Whether a checkpoint was trained for the classes of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def check_classes(checkpoint: Mapping[str, Any], metainfo: Any, data: str) -> None:
    """Compares the classes in a checkpoint's ``dataset_meta`` with those of a data set, in order.

    Nothing is compared where one of the two names none.

    Args:
        checkpoint (Mapping): As loaded.
        metainfo (Any): ``metainfo`` of the data set.
        data (str): What the data set is, for the error.

    Raises:
        ValueError: If the classes or their order differ; names the first that does.

    Examples:
        >>> check_classes({'meta': {'dataset_meta': {'classes': ('a', 'b')}}}, {}, 'the data')
    """
    trained = _classes((checkpoint.get('meta') or {}).get('dataset_meta'))
    given = _classes(metainfo)
    if not trained or not given or trained == given:
        return
    if len(trained) != len(given):
        difference = f'{len(given)} instead of {len(trained)} of them'
    else:
        index = next(
            i for i, pair in enumerate(zip(trained, given, strict=True)) if len({*pair}) > 1
        )
        difference = f'{given[index]!r} instead of {trained[index]!r} as number {index}'
    raise ValueError(
        f'expected the classes in {data} that the checkpoint was trained for, '
        f'{_listed(trained)}, received {_listed(given)}, {difference}; set metainfo.classes as in '
        'its training, or load_part=dict(checkpoint=..., modules=(...)) without the heads'
    )


def _classes(meta: Any) -> tuple[str, ...]:
    names = meta.get('classes') if isinstance(meta, Mapping) else None
    if not isinstance(names, Sequence) or isinstance(names, str):
        return ()
    return tuple(str(name) for name in names)


def _listed(names: Sequence[str]) -> str:
    text = ', '.join(names)
    return text if len(text) <= 200 else f'{text[:200]}...'
