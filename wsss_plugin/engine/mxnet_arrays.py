"""Reads the arrays of an MXNet file without MXNet."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

_FILE_MAGIC = 0x112
# Format of an array: with 64-bit sizes, also with a kind of storage, also with shapes of zero.
_WIDE, _WITH_STORAGE, _WITH_EMPTY = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_TYPES = ('<f4', '<f8', '<f2', 'u1', '<i4', 'i1', '<i8')
_MOST_AXES = 32


def read_arrays(file: str | Path) -> dict[str, np.ndarray]:
    """Arrays of a ``.params`` file by name, in any of the formats that MXNet has written.

    Args:
        file: The file.

    Returns:
        Arrays by name; MXNet writes ``arg:`` before the name of a weight and ``aux:`` before that
        of a statistic.

    Raises:
        ValueError: If it is not such a file, is cut off, or has sparse arrays or none with names.
    """
    with open(file, 'rb') as stream:
        try:
            return _read(stream)
        except (ValueError, struct.error) as error:
            raise ValueError(
                f'expected a complete .params file of MXNet with dense arrays in {file}, received '
                f'one that cannot be read ({error}); download it again'
            ) from error


def _read(stream: BinaryIO) -> dict[str, np.ndarray]:
    magic, _, count = _numbers(stream, '<QQQ')
    if magic != _FILE_MAGIC:
        raise ValueError(f'it begins with {magic:#x}, not {_FILE_MAGIC:#x}')
    arrays = [_read_array(stream) for _ in range(count)]
    (names,) = _numbers(stream, '<Q')
    if names != count:
        raise ValueError(f'{count} arrays, {names} names')
    return {_read_name(stream): array for array in arrays}


def _read_array(stream: BinaryIO) -> np.ndarray:
    (magic,) = _numbers(stream, '<I')
    if magic in (_WITH_STORAGE, _WITH_EMPTY) and _numbers(stream, '<i') != (0,):
        raise ValueError('a sparse array')
    if magic in (_WIDE, _WITH_STORAGE, _WITH_EMPTY):
        (axes,), code = _numbers(stream, '<I'), 'q'
    else:  # the first format begins with the number of axes
        axes, code = magic, 'I'
    shape = _read_shape(stream, axes, code)
    _device, _number, kind = _numbers(stream, '<iii')
    if not 0 <= kind < len(_TYPES):
        raise ValueError(f'an array of type {kind}')
    size = math.prod(shape)
    values = np.fromfile(stream, dtype=_TYPES[kind], count=size)
    if len(values) < size:
        raise ValueError('the file ends early')
    return values.reshape(shape)


def _read_shape(stream: BinaryIO, axes: int, code: str) -> tuple[int, ...]:
    if not 0 < axes <= _MOST_AXES:
        raise ValueError(f'an array of {axes} axes')
    return _numbers(stream, f'<{axes}{code}')


def _read_name(stream: BinaryIO) -> str:
    return stream.read(*_numbers(stream, '<Q')).decode()


def _numbers(stream: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))
