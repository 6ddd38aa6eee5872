"""Whether a checkpoint and a model belong together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor, nn

from wsss_plugin.engine.finite_weights import check_finite, learnt

# Old files lack it; torch counts from 0, and with a fixed momentum nobody asks.
_OPTIONAL = 'num_batches_tracked'


def check_weights_fit(
    model: Any,
    checkpoint: Mapping[str, Any],
    resizable: Collection[str] = (),
    source: str = 'the checkpoint',
) -> None:
    """Checks that a checkpoint has every weight of a model, in its shape and finite.

    Names of older versions are those after the model's own hooks for loading have renamed them.
    Missing may be ``num_batches_tracked``, and what a module names in its attribute
    ``optional_weights`` (buffers or submodules that older checkpoints lack). A checkpoint may hold
    more than the model needs.

    Args:
        model (Any): The model, wrapped for data-parallel training or augmentation or not.
        checkpoint (Mapping): As loaded, or its weights alone.
        resizable (Collection[str]): Last parts of the names of weights that the model adapts to
            its own size when they are loaded.
        source (str): What holds the weights, for the error.

    Raises:
        ValueError: If a weight is missing, has another shape or is not finite; names it.
    """
    model = unwrapped(model)
    expected = model.state_dict()
    received = renamed_weights(model, plain_weights(checkpoint))
    _check_names(type(model).__name__, _required(model, expected), received, source)
    shared = expected.keys() & received.keys()
    _check_shapes(expected, {name: received[name] for name in sorted(shared)}, resizable, source)
    check_finite(learnt(model, received), source)


def unwrapped(model: Any) -> Any:
    """Returns the model inside wrappers for data-parallel training and augmentation.

    Args:
        model (Any): The model, wrapped or not.

    Returns:
        Any: The model.
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def plain_weights(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the weights of a checkpoint without the prefix of data-parallel training.

    Args:
        checkpoint (Mapping): As loaded, or its weights alone.

    Returns:
        dict: Weights by name.

    Examples:
        >>> plain_weights({'state_dict': {'module.a': 1}}), plain_weights({'a': 1})
        ({'a': 1}, {'a': 1})
    """
    weights = checkpoint.get('state_dict', checkpoint)
    return {re.sub(r'^module\.', '', name): weight for name, weight in weights.items()}


def renamed_weights(model: nn.Module, weights: Mapping[str, Any]) -> dict[str, Any]:
    """Returns weights under the names that a model reads, as its hooks for loading rename them.

    Args:
        model (nn.Module): The model; ``register_load_state_dict_pre_hook`` has added the hooks.
        weights (Mapping): Weights by name.

    Returns:
        dict: A copy with the names of this version.
    """
    renamed = dict(weights)
    for name, module in model.named_modules():
        for hook in module._load_state_dict_pre_hooks.values():
            hook(renamed, f'{name}.' if name else '', {}, True, [], [], [])
    return renamed


def _required(model: nn.Module, expected: Mapping[str, Any]) -> list[str]:
    optional = [
        '.'.join(filter(None, (prefix, name)))
        for prefix, module in model.named_modules()
        for name in getattr(module, 'optional_weights', ())
    ]
    return [
        name
        for name in expected
        if name.rpartition('.')[2] != _OPTIONAL
        and not any(f'{name}.'.startswith(f'{part}.') for part in optional)
    ]


def _check_names(
    kind: str, required: Sequence[str], received: Mapping[str, Any], source: str
) -> None:
    missing = [name for name in required if name not in received]
    if not missing:
        return
    if len(missing) == len(required):
        raise ValueError(
            f'expected weights of {kind} (for example {missing[0]}) in {source}, received none of '
            f'them (for example {next(iter(received), "none")}); {_remedy(missing, received)}'
        )
    raise ValueError(
        f'expected all {len(required)} weights of {kind} in {source}, received none for '
        f'{len(missing)} of them, {_listed(missing)}; {_remedy(missing, received)}, or ask for '
        'the modules that fit: load_part=dict(checkpoint=..., modules=(...))'
    )


def _listed(names: Sequence[str]) -> str:
    return ', '.join(names[:3]) + ('' if len(names) <= 3 else f', ... {names[-1]}')


def _remedy(missing: Sequence[str], received: Mapping[str, Any]) -> str:
    ending = f'.{missing[0]}'
    prefixes = [name.removesuffix(ending) for name in received if name.endswith(ending)]
    if prefixes:
        return f"the file has them behind '{prefixes[0]}.': set prefix='{prefixes[0]}.'"
    return 'check that the config and the checkpoint belong together'


def _check_shapes(
    expected: Mapping[str, Tensor],
    received: Mapping[str, Any],
    resizable: Collection[str],
    source: str,
) -> None:
    for name, weight in received.items():
        if not isinstance(weight, Tensor):
            raise ValueError(
                f'expected {name} in {source} to be a tensor, received a {type(weight).__name__}; '
                'save the state_dict of a model'
            )
        if name.rpartition('.')[2] in resizable or weight.shape == expected[name].shape:
            continue
        raise ValueError(
            f'expected {name} of shape {tuple(expected[name].shape)} in {source}, received '
            f'{tuple(weight.shape)}; the number of classes or the widths differ: test with the '
            'config of its training, or set num_classes to match'
        )
