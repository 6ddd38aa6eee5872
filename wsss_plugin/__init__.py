"""Weakly supervised semantic segmentation for MMSegmentation; importing it registers everything.

Where no part of the toolbox is installed, only ``wsss_plugin.ops`` can be imported: it needs torch
alone.
"""

from wsss_plugin import compat, ops

__version__ = '0.2.0'
__all__ = ['compat', 'ops']

if not compat.toolbox_is_absent():
    compat.require_toolbox()
    compat.provide_compiled_extension()
    compat.name_configs()

    from wsss_plugin import datasets, engine, evaluation, models

    __all__ += ['datasets', 'engine', 'evaluation', 'models']
