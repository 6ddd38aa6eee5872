"""How a training is watched, by what the command line says."""

from __future__ import annotations

from importlib.util import find_spec

from mmengine.config import Config
from mmseg.registry import HOOKS

from wsss_plugin.engine.config_types import is_kind, type_name
from wsss_plugin.errors import ConfigError

_TENSORBOARD = 'TensorboardVisBackend'


def switch_validation_off(config: Config) -> None:
    """Trains without validation, also at the end.

    Args:
        config: Changed in place.
    """
    config.val_dataloader = config.val_evaluator = config.val_cfg = None


def draw_panels(config: Config, num: int) -> None:
    """Draws panels during the training, unless the config does so by itself.

    Args:
        config: Changed in place.
        num: Number of images.
    """
    hooks = list(config.get('custom_hooks') or [])
    if not any(is_kind(hook, 'PanelHook', HOOKS) for hook in hooks):
        config.custom_hooks = [*hooks, {'type': 'PanelHook', 'num': num}]


def log_to_tensorboard(config: Config) -> None:
    """Writes curves and panels for TensorBoard too.

    Args:
        config: Changed in place.

    Raises:
        ConfigError: If TensorBoard is not installed, or the config has no visualizer.
    """
    if find_spec('tensorboard') is None:
        raise ConfigError(
            'expected the package tensorboard for --tensorboard, which is not installed; run '
            "pip install 'wsss_plugin[tensorboard]', or leave the option out"
        )
    if not config.get('visualizer'):
        raise ConfigError(
            'visualizer: expected one in the config for --tensorboard, received none; take it from '
            'configs/_base_/default_runtime.py'
        )
    backends = list(config.visualizer.get('vis_backends') or [])
    if not any(type_name(backend) == _TENSORBOARD for backend in backends):
        config.visualizer.vis_backends = [*backends, {'type': _TENSORBOARD}]
