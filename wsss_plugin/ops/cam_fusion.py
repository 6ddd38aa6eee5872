"""How the raw maps of several scales and flips become one class activation map (CAM)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_CHOICES: dict[str, tuple[str | None, ...]] = {
    'resize': ('bilinear', 'bicubic'),
    'rounding': ('down', 'nearest'),
    'relu': ('raw', 'merged', None),
    'flip': ('max', 'sum', None),
    'over_scales': ('sum', 'max'),
    'normalise': ('minmax', 'max', None),
}


@dataclass(frozen=True)
class CAMFusion:
    """Order and kind of the steps from raw maps to a CAM; the defaults are ToCo's and ClusterCAM's.

    ``cam = normalise(over_scales_s(relu(flip(resized raw_s, mirrored raw_s))))``. PSA has
    ``rounding='nearest', resize='bicubic', relu='raw', flip='sum', normalise='max'``; ReCAM the
    same with ``multiple=16``; MCTformer and WeakTr PSA's with ``normalise='minmax', eps=1e-8``.

    Args:
        resize: How the image is brought to a scale, ``'bilinear'`` or ``'bicubic'`` (the latter
            averages over the covered area when it shrinks, as Pillow does).
        rounding: A side of the scaled image, s times that of the image, is rounded ``'down'`` or
            to the ``'nearest'`` integer (halves to the even one).
        relu: Maps are cut at zero as they are (``'raw'``), once they are resized and the flips are
            merged (``'merged'``), or not at all (None).
        flip: The maps of image and mirror image become their ``'max'`` or ``'sum'``; None leaves
            the mirror image out.
        over_scales: The maps of the scales become their ``'sum'`` or ``'max'``.
        normalise: ``'minmax'``: ``(M - min M) / (max(M - min M) + eps)``; ``'max'``:
            ``M / (max M + eps)``, each per image and class; None leaves the values.
        eps: Added to the maximum.
        multiple: Maps are resized to the size rounded up to a multiple of this and cropped: the
            network's last cell may reach beyond the image.

    Raises:
        ValueError: A value is none of these; the message names the key ``multi_scale.<key>``.

    >>> CAMFusion(flip='sum', normalise='max').eps
    1e-05
    """

    resize: str = 'bilinear'
    rounding: str = 'down'
    relu: str | None = 'merged'
    flip: str | None = 'max'
    over_scales: str = 'sum'
    normalise: str | None = 'minmax'
    eps: float = 1e-5
    multiple: int = 1

    def __post_init__(self) -> None:
        _check(dataclasses.asdict(self), 'multi_scale')

    def replaced(self, options: Mapping[str, Any], key: str = 'multi_scale') -> CAMFusion:
        """This fusion with other values, as a config gives them.

        Args:
            options: Values by the names of this class's arguments.
            key: Config key of the options, for the errors.

        Returns:
            A new fusion.

        Raises:
            ValueError: A name is unknown or a value impossible; the message names ``<key>.<name>``.

        >>> CAMFusion().replaced(dict(flip='sum')).flip
        'sum'
        """
        _check(options, key)
        return dataclasses.replace(self, **options)

    def scaled_size(self, size: Sequence[int], scale: float, min_size: int = 1) -> tuple[int, int]:
        """Size of an image at a scale.

        Args:
            size: Height and width of the image in pixels.
            scale: Factor.
            min_size: Smallest side; one below it is enlarged to it.

        Returns:
            Height and width in pixels.

        >>> CAMFusion().scaled_size((75, 101), 0.5)
        (37, 50)
        >>> CAMFusion(rounding='nearest').scaled_size((75, 20), 0.5, min_size=16)
        (38, 16)
        """
        to_int = int if self.rounding == 'down' else round
        height, width = (max(min_size, 1, to_int(scale * side)) for side in size)
        return height, width


def _check(options: Mapping[str, Any], key: str) -> None:
    known = [field.name for field in dataclasses.fields(CAMFusion)]
    for name, value in options.items():
        if name not in known:
            raise ValueError(f'{key}.{name}: expected one of the keys {known}; remove or rename it')
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ValueError(f'{key}.{name}: expected one of {_CHOICES[name]}, received {value!r}')
        if name == 'eps' and not (_is_number(value) and 0 < value < float('inf')):
            raise ValueError(
                f'{key}.eps: expected a positive number, which keeps an empty map from becoming '
                f'NaN, received {value!r}'
            )
        if name == 'multiple' and not (isinstance(value, int) and value >= 1):
            raise ValueError(
                f'{key}.multiple: expected an integer of at least 1, received {value!r}'
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
