"""Names of the predictions that are CAMs, for whoever writes, scores or draws them."""

from __future__ import annotations

from collections.abc import Iterable

_FIRST = ('cam', 'aux_cam', 'cnn_cam')


def cam_field(name: str) -> str:
    """The field of a data sample in which a segmentor puts one of its CAMs.

    Args:
        name: The segmentor's name of the CAM.

    Returns:
        The name of the field.

    >>> cam_field('final'), cam_field('aux')
    ('cam', 'aux_cam')
    """
    return 'cam' if name == 'final' else f'{name}_cam'


def cam_fields(fields: Iterable[str]) -> list[str]:
    """Those of the fields of a data sample that hold CAMs.

    Args:
        fields: Names of fields.

    Returns:
        The final CAM, the auxiliary one, the CNN's, then all others by name.

    >>> cam_fields(['pred_sem_seg', 'clip_cam', 'aux_cam', 'cam'])
    ['cam', 'aux_cam', 'clip_cam']
    """
    found = [field for field in fields if field == 'cam' or field.endswith('_cam')]
    return [*(field for field in _FIRST if field in found), *sorted({*found} - {*_FIRST})]


def cam_title(field: str) -> str:
    """What a CAM is called in tables.

    Args:
        field: The name of its field.

    Returns:
        The title.

    >>> cam_title('cam'), cam_title('cnn_cam'), cam_title('clip_cam')
    ('CAM', 'CNN CAM', 'clip CAM')
    """
    if field == 'cam':
        return 'CAM'
    name = field.removesuffix('_cam')
    return f'{"CNN" if name == "cnn" else name} CAM'
