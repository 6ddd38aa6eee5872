"""Parameters that should learn and get no gradient."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from wsss_plugin.engine.checkpoint_fit import unwrapped


def unreached_parameters(
    model: Any, reached: Collection[str] | None = None, iteration: int | None = None
) -> dict[str, str]:
    """Returns the parameters that should have a gradient and have none.

    Once all terms of the loss have begun these are all that require one. Before, they are those
    of the terms that have begun and of the modules that such a term trains.

    Args:
        model (Any): The model, wrapped or not, after a backward pass.
        reached (Collection[str], optional): Names of parameters with a gradient; default: those
            whose ``grad`` is there.
        iteration (int, optional): The iteration; default: all terms have begun.

    Returns:
        dict: The paths of the terms that should reach it, '' if unknown, by parameter.

    Examples:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
        >>> model[0](torch.ones(1, 1)).sum().backward()
        >>> unreached_parameters(model)
        {'1.weight': '', '1.bias': ''}
    """
    model = unwrapped(model)
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if reached is None:
        reached = {name for name, parameter in parameters.items() if parameter.grad is not None}
    begun = list(_begun_terms(model, iteration))
    complete = iteration is None or iteration >= phases(model)[-1]
    unreached = {}
    for name in parameters.keys() - set(reached):
        terms = [path for path, trains in begun if _is_inside(name, (path, *trains))]
        if terms or complete:
            unreached[name] = ', '.join(terms)
    return {name: unreached[name] for name in parameters if name in unreached}


def phases(model: Any) -> list[int]:
    """Returns the iterations at which something in the losses of a model begins or changes.

    Args:
        model (Any): The model, wrapped or not; has ``phases()`` where its losses change.

    Returns:
        list[int]: Increasing, from 0.
    """
    own = getattr(unwrapped(model), 'phases', None)
    return sorted({0, *(own() if callable(own) else ())})


def _begun_terms(model: Any, iteration: int | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    for path, module in model.named_modules():
        if path.split('.')[-2:-1] != ['terms']:
            continue
        start, trains = getattr(module, 'start', None), getattr(module, 'trains', None)
        if start is None or trains is None:
            continue
        if iteration is None or (start <= iteration and not 0 < start < 1):
            owner = path.rpartition('terms.')[0]
            yield path, tuple(f'{owner}{name}' for name in trains)


def _is_inside(name: str, modules: Collection[str]) -> bool:
    return any(name.startswith(f'{module}.') for module in modules)
