"""Fits an optimiser to a saved state by the names of its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_START_ANEW = 'load the weights by load_from and start anew'


def order_as_saved(
    optimizer: str, groups: Sequence[dict[str, Any]], saved: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Puts the groups of an optimiser and their parameters into the order of a saved state.

    PyTorch restores states by position, MMEngine's schedules the rates of groups too. After this
    both fit by name, whatever the order in which the present model lists its parameters.

    Args:
        optimizer (str): Name of the optimiser, for errors.
        groups (Sequence[dict]): Its groups, each with ``params`` and their ``param_names``; without
            names the order is kept.
        saved (Sequence[dict]): ``param_groups`` of the saved state.

    Returns:
        list[dict]: The groups, none changed in place.

    Raises:
        ValueError: If the saved state has no names, or other parameters or groups.

    Examples:
        >>> groups = [{'params': [1.0, 2.0], 'param_names': ['a', 'b']}]
        >>> order_as_saved('vit', groups, [{'params': [0, 1], 'param_names': ['b', 'a']}])
        [{'params': [2.0, 1.0], 'param_names': ['b', 'a']}]
    """
    _require_names(optimizer, groups, saved)
    if not _are_named(groups):
        return list(groups)
    parameters = dict(
        pair for group in groups for pair in zip(group['param_names'], group['params'], strict=True)
    )
    _require_same_parameters(optimizer, set(parameters), saved)
    by_names = {frozenset(group['param_names']): group for group in groups}
    ordered = []
    for group in saved:
        names = list(group['param_names'])
        if frozenset(names) not in by_names:
            raise ValueError(
                f'expected the optimiser {optimizer!r} to give the same options to the same '
                f'parameters as in the checkpoint, received others for {_short(names)}; resume '
                'with the optim_wrapper.paramwise_cfg it was trained with, or ' + _START_ANEW
            )
        params = [parameters[name] for name in names]
        ordered.append({**by_names[frozenset(names)], 'params': params, 'param_names': names})
    return ordered


def _are_named(groups: Sequence[dict[str, Any]]) -> bool:
    return all('param_names' in group for group in groups)


def _require_names(
    optimizer: str, groups: Sequence[dict[str, Any]], saved: Sequence[dict[str, Any]]
) -> None:
    if _are_named(groups) and not _are_named(saved):
        raise ValueError(
            f'expected the names of the parameters in the state of the optimiser {optimizer!r}, '
            'received a state without them, as version 0.1 saved it; a training of that version '
            f'cannot be resumed: {_START_ANEW}'
        )
    if _are_named(saved) and not _are_named(groups):
        raise ValueError(
            f'expected a state without names for the optimiser {optimizer!r}, which was built '
            'without the names of its parameters, received one with names; build it by '
            'JointOptimWrapperConstructor, or give it model.named_parameters()'
        )


def _require_same_parameters(
    optimizer: str, expected: set[str], saved: Sequence[dict[str, Any]]
) -> None:
    received = {name for group in saved for name in group['param_names']}
    if expected != received:
        raise ValueError(
            f'expected the trained parameters of the optimiser {optimizer!r} in the checkpoint, '
            f'received it without {_short(expected - received)} and with '
            f'{_short(received - expected)} beside the others; resume with the config it was '
            f'trained with, or {_START_ANEW}'
        )


def _short(names: Sequence[str] | set[str]) -> str:
    shown = sorted(names)[:5]
    others = len(names) - len(shown)
    return (', '.join(shown) or 'none') + (f' and {others} more' if others else '')
