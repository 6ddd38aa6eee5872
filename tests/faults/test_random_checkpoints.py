"""Damaged checkpoints: they load unchanged, or an error of one line names the file."""

from __future__ import annotations

import random

import pytest
import torch
from mmengine.runner import CheckpointLoader

from wsss_plugin.engine.run_identity import RunCheckpoint

_HUB = dict(log_scalars={}, runtime_info={}, resumed_keys={})
_WHOLE = dict(
    state_dict={'a': torch.arange(50.0)},
    optimizer={'state': {0: torch.ones(9)}},
    message_hub=_HUB,
    meta=dict(iter=4, epoch=0, run='abc'),
)
_VALUES = (None, 0, -1, 2.5, '', 'x', [], [1], {}, {'a': 1}, (), torch.ones(1), b'x', True, 10**30)


def _damaged(content, draw):
    """Cuts, overwrites, inserts or doubles."""
    data = bytearray(content)
    kind = draw.choice(['cut', 'overwrite', 'insert', 'double', 'zeros'])
    place = draw.randrange(len(data))
    if kind == 'cut':
        return bytes(data[:place])
    if kind == 'overwrite':
        for _ in range(draw.randint(1, 8)):
            data[draw.randrange(len(data))] = draw.randrange(256)
    elif kind == 'insert':
        data[place:place] = draw.randbytes(draw.randint(1, 50))
    elif kind == 'double':
        data += data[place:]
    else:
        data[place : place + draw.randint(1, 500)] = bytes(draw.randint(1, 500))
    return bytes(data)


def _strange(draw):
    """A checkpoint with a value of another type in some place."""
    content = {key: dict(value) for key, value in _WHOLE.items()}
    for _ in range(draw.randint(1, 3)):
        part = draw.choice([content, *(v for v in content.values() if isinstance(v, dict))])
        part[draw.choice([*part, 'other'])] = draw.choice(_VALUES)
    return content


def _look(path):
    for read in (RunCheckpoint.read, lambda p: CheckpointLoader.load_checkpoint(str(p))):
        try:
            read(path)
        except (RuntimeError, ValueError) as error:
            message = str(error)
            assert message.startswith('expected '), message
            assert str(path) in message
            assert '\n' not in message
            assert len(message) < 1500


def _try(tmp_path, cases, seed):
    draw = random.Random(seed)
    path = tmp_path / 'iter_4.pth'
    for case in range(cases):
        if case % 2:
            torch.save(_strange(draw), path)
        else:
            torch.save(_WHOLE, path, _use_new_zipfile_serialization=case % 4 == 0)
            path.write_bytes(_damaged(path.read_bytes(), draw))
        _look(path)


def test_a_few(tmp_path):
    _try(tmp_path, 200, 0)


@pytest.mark.long
def test_many(tmp_path):
    _try(tmp_path, 5000, 1)
