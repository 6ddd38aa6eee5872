"""Names of the predictions that are pseudo labels, for whoever writes or scores them."""

from __future__ import annotations

from collections.abc import Iterable

_SINGLE = 'pseudo_label'


def label_field(name: str, only: bool) -> str:
    """The field of a data sample in which a segmentor puts the label of one of its makers.

    Args:
        name: Name of the label maker.
        only: Whether it is the only one that is shown.

    Returns:
        The name of the field.

    >>> label_field('pixel', only=True), label_field('walk', only=False)
    ('pseudo_label', 'walk_pseudo_label')
    """
    return _SINGLE if only else f'{name}_{_SINGLE}'


def label_fields(fields: Iterable[str]) -> list[str]:
    """Those of the fields of a data sample that hold pseudo labels.

    Args:
        fields: Names of fields.

    Returns:
        The names in order.

    >>> label_fields(['pred_sem_seg', 'walk_pseudo_label', 'pixel_pseudo_label', 'cam'])
    ['pixel_pseudo_label', 'walk_pseudo_label']
    """
    return sorted(field for field in fields if field == _SINGLE or field.endswith(f'_{_SINGLE}'))


def label_title(field: str) -> str:
    """What a pseudo label is called in tables.

    Args:
        field: The name of its field.

    Returns:
        The title.

    >>> label_title('pseudo_label'), label_title('walk_pseudo_label')
    ('label', 'walk label')
    """
    return 'label' if field == _SINGLE else f'{field.removesuffix(f"_{_SINGLE}")} label'
