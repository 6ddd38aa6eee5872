"""The first layer of a network whose images have other channels than red, green and blue."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from timm.models import adapt_input_conv
from torch import Tensor, nn

_COLOURS = 3


def image_channels(network: nn.Module) -> int | None:
    """Channels of the images that a network takes, those of its first convolution.

    Args:
        network: The network.

    Returns:
        Their number, None for a network without convolutions.

    >>> image_channels(nn.Sequential(nn.Conv2d(5, 8, 3), nn.Conv2d(8, 8, 3)))
    5
    """
    first = _first(network)
    return None if first is None else first[1].in_channels


def adapt_when_loaded(network: nn.Module) -> None:
    """Lets a network of other channels take weights that were trained on three.

    When such weights are loaded, those of the first convolution are repeated over the channels in
    turn and scaled by 3 / C, so that its output keeps its scale, as timm does for its models.
    Weights for the network's own channels are taken as they are.

    Args:
        network: The network, to which a hook is added if its images have not three channels.
    """
    if image_channels(network) not in (None, _COLOURS):
        network.register_load_state_dict_pre_hook(_adapt)


def _adapt(network: nn.Module, weights: MutableMapping[str, Tensor], prefix: str, *_: Any) -> None:
    first = _first(network)
    name = '' if first is None else f'{prefix}{first[0]}.weight'
    given = weights.get(name)
    if first is None or given is None or given.dim() != 4 or given.shape[1] != _COLOURS:
        return
    if first[1].in_channels != _COLOURS:
        weights[name] = adapt_input_conv(first[1].in_channels, given)


def _first(network: nn.Module) -> tuple[str, nn.Conv2d] | None:
    convolutions = (
        (name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d)
    )
    return next(convolutions, None)
