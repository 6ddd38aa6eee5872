"""Weakly supervised semantic segmentation for MMSegmentation; importing it registers everything."""

from wsss_plugin import compat

compat.require_toolbox()
compat.provide_compiled_extension()

from wsss_plugin import (  # noqa: E402  (the toolbox imports only after the two calls above)
    datasets,
    engine,
    evaluation,
    models,
    ops,
)

__version__ = '0.1.0'
__all__ = ['compat', 'datasets', 'engine', 'evaluation', 'models', 'ops']
