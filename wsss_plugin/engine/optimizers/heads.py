"""Finds the heads of a model."""

from __future__ import annotations

from torch import nn

_HEADS = ('decode_head', 'cams', 'heads', 'terms')


def find_heads(model: nn.Module) -> tuple[str, ...]:
    """Returns the paths of a model's heads, which start from random weights and learn faster.

    They are found by structure, so that a part with a new name or a model in a model needs no
    entry: the children ``decode_head``, ``cams``, ``heads`` and ``terms`` of the model and of
    every module in it that has a ``backbone``, and the ``terms`` of one that has ``students``.
    A neck and an auxiliary head are none.

    Args:
        model (nn.Module): A segmentor, or what holds segmentors.

    Returns:
        tuple[str, ...]: Names of submodules, in the model's own order.

    Examples:
        >>> student = nn.ModuleDict({'backbone': nn.Linear(2, 2), 'cams': nn.ModuleDict()})
        >>> find_heads(nn.ModuleDict({'students': nn.ModuleDict({'first': student})}))
        ('students.first.cams',)
    """
    heads = []
    for path, module in model.named_modules():
        children = dict(module.named_children())
        if not path or 'backbone' in children:
            names: tuple[str, ...] = _HEADS
        elif 'students' in children:
            names = ('terms',)
        else:
            continue
        heads += [f'{path}.{name}' if path else name for name in names if name in children]
    return tuple(heads)
