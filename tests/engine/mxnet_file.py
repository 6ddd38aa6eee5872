"""Writes arrays as MXNet does, in each of its formats."""

from __future__ import annotations

import struct

import numpy as np

TYPES = {'float32': 0, 'float64': 1, 'float16': 2, 'uint8': 3, 'int32': 4, 'int8': 5, 'int64': 6}
MAGIC = {1: 0xF993FAC8, 2: 0xF993FAC9, 3: 0xF993FACA}


def array_bytes(array: np.ndarray, version: int, storage: int = 0) -> bytes:
    """One array; version 0 has neither a magic number nor wide sizes."""
    head = b'' if version == 0 else struct.pack('<I', MAGIC[version])
    head += struct.pack('<i', storage) if version >= 2 else b''
    head += struct.pack('<I', array.ndim)
    head += struct.pack(f'<{array.ndim}{"I" if version == 0 else "q"}', *array.shape)
    return head + struct.pack('<iii', 1, 0, TYPES[str(array.dtype)]) + array.tobytes()


def file_bytes(arrays: dict[str, np.ndarray], version: int = 0, **kwargs: int) -> bytes:
    """A file of named arrays."""
    content = struct.pack('<QQQ', 0x112, 0, len(arrays))
    content += b''.join(array_bytes(array, version, **kwargs) for array in arrays.values())
    content += struct.pack('<Q', len(arrays))
    for name in arrays:
        content += struct.pack('<Q', len(name)) + name.encode()
    return content
