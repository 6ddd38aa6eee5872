"""Registered modules over the operators."""

from wsss_plugin.models import (
    backbones,
    cams,
    data_preprocessors,
    heads,
    losses,
    necks,
    pseudo_labels,
    segmentors,
    terms,
)
from wsss_plugin.models.pseudo_labels import PAR

__all__ = [
    'PAR',
    'backbones',
    'cams',
    'data_preprocessors',
    'heads',
    'losses',
    'necks',
    'pseudo_labels',
    'segmentors',
    'terms',
]
