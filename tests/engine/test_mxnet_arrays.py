from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest

from wsss_plugin.engine.mxnet_arrays import read_arrays

_SPEC = importlib.util.spec_from_file_location(
    'mxnet_file', Path(__file__).parent / 'mxnet_file.py'
)
mxnet_file = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(mxnet_file)

ARRAYS = {
    'arg:weight': np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) / 7,
    'aux:count': np.array([3, -4], dtype=np.int64),
    'arg:half': np.array([[0.5, 1.5]], dtype=np.float16),
}


@pytest.mark.parametrize('version', [0, 1, 2, 3])
def test_every_format_is_read(tmp_path, version):
    file = tmp_path / 'a.params'
    file.write_bytes(mxnet_file.file_bytes(ARRAYS, version))
    found = read_arrays(file)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_no_array(tmp_path):
    (tmp_path / 'a.params').write_bytes(mxnet_file.file_bytes({}))
    assert read_arrays(tmp_path / 'a.params') == {}


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'PK' * 20, 'begins with'),
        (b'', 'cannot be read'),
        (mxnet_file.file_bytes(ARRAYS, 2, storage=1), 'a sparse array'),
        (mxnet_file.file_bytes(ARRAYS)[:60], 'ends early'),
        (mxnet_file.file_bytes(ARRAYS)[:-50], 'cannot be read'),
        (struct.pack('<QQQ', 0x112, 0, 0) + struct.pack('<Q', 2), '0 arrays, 2 names'),
        (struct.pack('<QQQII', 0x112, 0, 1, 900, 1), 'an array of 900 axes'),
        (struct.pack('<QQQIIiii', 0x112, 0, 1, 1, 1, 1, 0, 9), 'an array of type 9'),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    file = tmp_path / 'a.params'
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f'{file}.*{message}.*download'):
        read_arrays(file)
