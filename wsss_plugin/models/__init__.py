"""Registered modules over the operators."""

from wsss_plugin.models import (
    backbones,
    data_preprocessors,
    heads,
    losses,
    necks,
    pseudo_labels,
    segmentors,
)
from wsss_plugin.models.pseudo_labels import PAR

__all__ = [
    'PAR',
    'backbones',
    'data_preprocessors',
    'heads',
    'losses',
    'necks',
    'pseudo_labels',
    'segmentors',
]
