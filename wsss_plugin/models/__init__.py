"""Registered modules over the operators."""

from wsss_plugin import compat

compat.require_toolbox()

from wsss_plugin.models import (  # noqa: E402  (the toolbox may be missing)
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
from wsss_plugin.models.pseudo_labels import PAR  # noqa: E402

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
