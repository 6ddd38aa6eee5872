import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from wsss_plugin.engine.hooks import SafeCheckpointHook, safe_checkpoint_hook


def _checkpoint():
    buffer = HistoryBuffer()
    for value in (1.5, 2.5):
        buffer.update(value)
    return {
        'meta': {'iter': 2, 'dataset_meta': {'classes': ('a', 'b'), 'palette': np.eye(2)}},
        'state_dict': OrderedDict(weight=torch.ones(2)),
        'message_hub': {
            'log_scalars': OrderedDict({'train/loss': buffer}),
            'runtime_info': OrderedDict(best_score=np.float64(0.5), iter=2),
            'resumed_keys': OrderedDict({'train/loss': True}),
        },
        'optimizer': {'vit': {'param_groups': [{'lr': 0.1, 'betas': (0.9, 0.999)}]}},
    }


def test_checkpoint_loads_as_data_only_and_keeps_the_log(tmp_path):
    hook, checkpoint = SafeCheckpointHook(), _checkpoint()
    expected = checkpoint['message_hub']['log_scalars']['train/loss']
    torch.save(checkpoint, tmp_path / 'unsafe.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'unsafe.pth', weights_only=True)
    hook.before_save_checkpoint(None, checkpoint)
    torch.save(checkpoint, tmp_path / 'safe.pth')
    loaded = torch.load(tmp_path / 'safe.pth', weights_only=True)
    hook.after_load_checkpoint(None, loaded)
    received = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(received, HistoryBuffer)
    assert received.mean() == expected.mean() == 2.0
    assert all(np.array_equal(a, b) for a, b in zip(received.data, expected.data, strict=True))
    received.update(3.0)
    assert received.current() == 3.0
    assert loaded['message_hub']['runtime_info'] == {'best_score': 0.5, 'iter': 2}
    assert loaded['meta']['dataset_meta'] == {'classes': ('a', 'b'), 'palette': [[1, 0], [0, 1]]}
    assert loaded['optimizer']['vit']['param_groups'][0]['betas'] == (0.9, 0.999)


def test_leaves_other_checkpoints_alone():
    checkpoint = {'state_dict': {}}
    SafeCheckpointHook().after_load_checkpoint(None, checkpoint)
    assert checkpoint == {'state_dict': {}}


def test_says_what_cannot_be_saved(monkeypatch):
    seen = []
    monkeypatch.setattr(safe_checkpoint_hook, 'print_log', lambda text, **_: seen.append(text))
    checkpoint = {'meta': {'odd': [object()]}}
    SafeCheckpointHook().before_save_checkpoint(None, checkpoint)
    assert checkpoint == {'meta': {'odd': [None]}}
    assert 'meta.odd[0]' in seen[0]
