"""Saves checkpoints that hold nothing but tensors and plain values."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer, print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

_HISTORIES = 'log_histories'
_PLAIN = (str, bytes, bool, int, float, complex, type(None), torch.Tensor)


@HOOKS.register_module()
class SafeCheckpointHook(Hook):
    """Makes checkpoints loadable under ``torch.load(weights_only=True)``, without losing any log.

    The log's history buffers and NumPy values, which that mode refuses, are saved as tensors and
    plain values, and put back when a training is resumed.
    """

    # Other hooks may add to the checkpoint, and must find the histories when it is loaded.
    priority = 'LOWEST'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Replaces what cannot be loaded safely.

        Args:
            runner (Runner): Unused.
            checkpoint (dict): About to be saved; changed in place.
        """
        del runner
        hub = checkpoint.get('message_hub')
        if hub is not None:
            hub[_HISTORIES] = {
                name: _to_plain_history(buffer) for name, buffer in hub['log_scalars'].items()
            }
            hub['log_scalars'] = OrderedDict()
        for key in checkpoint.keys() - {'state_dict'}:
            checkpoint[key] = _to_plain(checkpoint[key], key)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Puts the history buffers back.

        Args:
            runner (Runner): Unused.
            checkpoint (dict): As loaded; changed in place.
        """
        del runner
        hub = checkpoint.get('message_hub')
        if hub is not None and _HISTORIES in hub:
            hub['log_scalars'] = OrderedDict(
                (name, _from_plain_history(history))
                for name, history in hub.pop(_HISTORIES).items()
            )


def _to_plain_history(buffer: HistoryBuffer) -> dict[str, Any]:
    values, counts = buffer.data
    return {
        'values': torch.as_tensor(np.asarray(values, dtype=np.float64)),
        'counts': torch.as_tensor(np.asarray(counts, dtype=np.int64)),
        'max_length': int(buffer.max_length),
    }


def _from_plain_history(history: dict[str, Any]) -> HistoryBuffer:
    return HistoryBuffer(
        history['values'].cpu().tolist(), history['counts'].cpu().tolist(), history['max_length']
    )


def _to_plain(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _to_plain(item, f'{name}.{key}') for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_to_plain(item, f'{name}[{index}]') for index, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, _PLAIN):
        return value
    print_log(
        f'{name} of the checkpoint is a {type(value).__name__}, which cannot be loaded safely; '
        'None is saved instead',
        logger='current',
        level=logging.WARNING,
    )
    return None
