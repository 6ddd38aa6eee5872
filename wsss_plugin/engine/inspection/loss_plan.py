"""When each loss of a training starts and stops, and what labels are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wsss_plugin.models.schedule import as_iteration


def loss_plan(model: Any, hooks: Iterable[Any], max_iters: int | None) -> list[str]:
    """Says when each loss starts and stops.

    Args:
        model: The segmentor; one without ``terms``, such as MMSegmentation's own, has no plan.
        hooks: Hooks of the training, of which a ``LossWeightHook`` changes weights.
        max_iters: Length of the training, None where it is unknown.

    Returns:
        Lines of text, none without terms.
    """
    students: Mapping[str, Any] = getattr(model, 'students', {})
    lines = [f'{name}: {line}' for name, one in students.items() for line in _plan(one, max_iters)]
    lines += _plan(model, max_iters)
    return lines + _weights(hooks, max_iters) if lines else []


def _plan(model: Any, max_iters: int | None) -> list[str]:
    spans: dict[str, list[str]] = {}
    for name, term in (getattr(model, 'terms', None) or {}).items():
        spans.setdefault(_span(term.begins(max_iters), max_iters), []).append(name)
    if not spans:
        return []
    lines = ['losses: ' + '; '.join(f'{", ".join(names)} {span}' for span, names in spans.items())]
    # A wrapper of students shows the label makers of one of them.
    return lines if hasattr(model, 'students') else lines + _switches(model, max_iters)


def _span(start: int, end: int | None) -> str:
    if end is None:
        return f'from {start} on'
    return (
        f'{start}-{end}' if start < end else f'NEVER (from {start} on, the training ends at {end})'
    )


def _switches(model: Any, max_iters: int | None) -> list[str]:
    """Label makers that change what they read."""
    lines = []
    for name, maker in model.labels.items():
        starts: Sequence[int] = sorted(maker.starts(max_iters))
        if len(starts) > 1:
            steps = [f'{"+".join(maker.needs(at, max_iters).cams)} from {at} on' for at in starts]
            lines.append(f'labels {name}: {", ".join(steps)}')
    return lines


def _weights(hooks: Iterable[Any], max_iters: int | None) -> list[str]:
    return [
        f'weight of {hook.loss}: '
        + ', '.join(f'{value:g} from {_at(at, max_iters)} on' for at, value in hook.weights)
        for hook in hooks
        if hasattr(hook, 'loss') and hasattr(hook, 'weights')
    ]


def _at(start: float, max_iters: int | None) -> str:
    """An iteration; a share of a training of unknown length as it is."""
    if max_iters is None and start != int(start):
        return f'{start:g} of the training'
    return str(as_iteration(start, max_iters, 'weights'))
