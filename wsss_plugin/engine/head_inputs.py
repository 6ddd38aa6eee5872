"""Whether the heads of a segmentor fit what its backbone and its neck give."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmseg.models.segmentors import EncoderDecoder
from torch import Tensor, nn

from wsss_plugin.errors import ConfigError, cut

_SIDE = 512


def check_head_inputs(model: nn.Module) -> None:
    """Checks neck and heads of an ``EncoderDecoder`` before anything is loaded or trained.

    Shapes come from one run of copies without memory. A backbone that such a run does not suit is
    left to the training.

    Args:
        model: A segmentor; others than ``EncoderDecoder`` check themselves.

    Raises:
        ConfigError: If the neck refuses the maps of the backbone, ``in_index`` names a map that
            there is not, or ``in_channels`` are not those of the map.
    """
    if not isinstance(model, EncoderDecoder):
        return
    channels = _channels(model)
    if channels is None:
        return
    for key, head in _heads(model):
        _check_head(key, head, channels)


def _channels(model: Any) -> list[int] | None:
    """Channels of each feature map, None where they cannot be told."""
    size = getattr(model.data_preprocessor, 'size', None) or (_SIDE, _SIDE)
    try:
        backbone = _without_memory(model.backbone)
        bands = next(weight.shape[1] for weight in backbone.parameters() if weight.dim() == 4)
        with torch.no_grad():
            maps = backbone(torch.zeros(1, bands, *size, device='meta'))
    except Exception:
        # What cannot do without values, or is wrong in itself, says so when it is trained.
        return None
    if model.with_neck:
        maps = _through_neck(model.neck, maps)
    if not isinstance(maps, Sequence) or not all(isinstance(one, Tensor) for one in maps):
        return None
    return [one.shape[1] for one in maps]


def _without_memory(part: nn.Module) -> nn.Module:
    copied = copy.deepcopy(part).to('meta')
    # The toolbox's own networks give nothing back.
    copied.eval()
    return copied


def _through_neck(neck: nn.Module, maps: Any) -> Any:
    try:
        with torch.no_grad():
            return _without_memory(neck)(maps)
    except (AssertionError, ValueError) as error:
        given = [one.shape[1] for one in maps]
        raise ConfigError(
            f'model.neck: expected one that takes the {len(given)} feature maps of the backbone, '
            f'with {given} channels, received {type(neck).__name__}, which refuses them '
            f'({cut(error, 300)}); correct its in_channels or out_indices of the backbone'
        ) from error
    except Exception:
        return None


def _heads(model: Any) -> Iterator[tuple[str, nn.Module]]:
    for name in ('decode_head', 'auxiliary_head'):
        found = getattr(model, name, None)
        if isinstance(found, nn.ModuleList):
            yield from ((f'model.{name}.{index}', head) for index, head in enumerate(found))
        elif found is not None:
            yield f'model.{name}', found


def _check_head(key: str, head: Any, channels: Sequence[int]) -> None:
    indices, wanted = getattr(head, 'in_index', None), getattr(head, 'in_channels', None)
    if indices is None or wanted is None:
        return
    several = isinstance(indices, Sequence)
    for index in indices if several else [indices]:
        if not -len(channels) <= index < len(channels):
            raise ConfigError(
                f'{key}.in_index: expected numbers from 0 to {len(channels) - 1} of the feature '
                f'maps that backbone and neck give, received {index}; correct it, or out_indices '
                'of the backbone'
            )
    given = [channels[index] for index in indices] if several else channels[indices]
    # The toolbox keeps the sum where maps are joined.
    joined = sum(given) if several and not isinstance(wanted, Sequence) else given
    if joined != (list(wanted) if isinstance(wanted, Sequence) else wanted):
        raise ConfigError(
            f'{key}.in_channels: expected {given}, the channels of feature map {indices} of '
            f'backbone and neck, received {wanted}; correct it, or in_index'
        )
